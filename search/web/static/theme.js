// Runs before the first paint, so that no page flashes in the wrong colours.
(() => {
  const root = document.documentElement;
  root.classList.add("scripted");
  try {
    const theme = localStorage.getItem("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    if (localStorage.getItem("unrated") === "shown") root.dataset.unrated = "shown";
  } catch {
    // Storage can be forbidden; then nothing is remembered.
  }
})();
