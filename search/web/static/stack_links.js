// "Add to stack" anywhere goes on with the stack that this browser had last, not with a new one.

export function startStackLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="/stack?new="]');
    if (link) link.href = goingOn(link);
  }, true);
}

function goingOn(link) {
  const added = new URL(link.href).searchParams.get("new");
  let last = "";
  try {
    last = localStorage.getItem("stack") || "";
  } catch {
    // Storage can be forbidden; then the link begins a new stack.
  }
  const url = new URL(last.startsWith("/stack?") ? last : "/stack", location.origin);
  url.searchParams.set("new", added);
  return url.pathname + url.search;
}
