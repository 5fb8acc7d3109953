// The page works without any of this; it only saves loading whole pages.

import { startExtras } from "./extras.js";
import { startKeyboard } from "./keyboard.js";
import { startOwn } from "./own.js";
import { startPicture } from "./picture.js";
import { startResults } from "./results.js";
import { startStackLinks } from "./stack_links.js";

startExtras();
startKeyboard();
startOwn();
startResults();
startPicture();
startStackLinks();
