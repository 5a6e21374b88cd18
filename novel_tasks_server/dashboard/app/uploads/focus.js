// Where the focus goes when the control that had it goes away with what it did.

/** `run` as a handler; afterwards the panel has the focus if nothing has it any more. */
export function keepingFocus(run) {
  return () => {
    run();
    requestAnimationFrame(() => setTimeout(giveToPanel));
  };
}

function giveToPanel() {
  if (document.activeElement === document.body) document.getElementById("uploads")?.focus({ preventScroll: true });
}
