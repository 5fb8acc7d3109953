// The page works without any of this; it only saves loading whole pages.

import { startExtras } from "./extras.js";
import { startKeyboard } from "./keyboard.js";
import { startPicture } from "./picture.js";
import { startResults } from "./results.js";

startExtras();
startKeyboard();
startResults();
startPicture();
