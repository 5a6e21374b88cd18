// Watching sizes. What follows from a new size is done in the next frame: within the observer's own turn it could change
// the size again, which browsers report as an error of the page.

/** Call `run` whenever the size of `element` has changed, and at first. Returns a function that ends it. */
export function watchSize(element, run) {
  let frame = null;
  const observer = new ResizeObserver(() => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(run);
  });
  observer.observe(element);
  return () => (observer.disconnect(), cancelAnimationFrame(frame));
}
