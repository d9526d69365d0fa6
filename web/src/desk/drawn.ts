// When has a change been drawn? Two frames later; a hidden page draws none, and rings all the same.

export function onceDrawn(then: () => void) {
  if (document.hidden) return then();
  requestAnimationFrame(() => requestAnimationFrame(then));
}
