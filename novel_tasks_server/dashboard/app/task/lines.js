// Which part of a long list of lines of unknown height is drawn: pure. Lines come in chunks; a chunk that was drawn once
// is as high as it was then, others as high as lines usually are.
import { isAtLeast } from "./log-store.js";

export const CHUNK = 50;

/** The lines that a filter lets through, in chunks whose numbers stay the same while lines are added at either end. */
export class Selection {
  #base = 0;
  #seen = Infinity;

  constructor(level, text) {
    this.level = level;
    this.text = text.toLowerCase();
    this.shown = [];
    this.heights = new Map();
  }

  wants(line) {
    return isAtLeast(line.level, this.level) && (!this.text || line.message.toLowerCase().includes(this.text));
  }

  /**
   * Take in what has changed; returns how many lines were added at the end, and how many at the beginning. Lines before the
   * seq `from` are left out: between them others of this level may be missing.
   */
  update(lines, from) {
    const before = this.shown;
    const fitting = lines.filter((line) => line.seq >= from && this.wants(line));
    const first = before[0]?.seq ?? Infinity;
    const older = before.length ? countWhile(fitting, (line) => line.seq < first) : 0;
    const newer = fitting.length - countWhile(fitting, (line) => line.seq <= this.#seen);
    this.#seen = lines.at(-1)?.seq ?? 0;
    const gone = older ? 0 : countWhile(before, (line) => fitting.length === 0 || line.seq < fitting[0].seq);
    const at = this.#chunkOf(0);
    this.#base += gone - older;
    if (older || gone) this.heights.delete(at);
    this.shown = fitting;
    return { newer, older };
  }

  #chunkOf(index) {
    return Math.floor((index + this.#base) / CHUNK);
  }

  /** All chunks: `{number, from, to, height}`; `lineHeight` is that of a line that was never drawn. */
  chunks(lineHeight) {
    const found = [];
    for (let from = 0; from < this.shown.length;) {
      const number = this.#chunkOf(from);
      const to = Math.min(this.shown.length, (number + 1) * CHUNK - this.#base);
      found.push({ number, from, to, height: this.heights.get(number)?.[to - from] ?? (to - from) * lineHeight });
      from = to;
    }
    return found;
  }

  /** Note how high a chunk of so many lines is. Returns whether that is new. */
  measured(number, count, height) {
    const isNew = this.heights.get(number)?.[count] !== height;
    this.heights.set(number, { [count]: height });
    return isNew;
  }
}

function countWhile(lines, holds) {
  let [low, high] = [0, lines.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(lines[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The chunks that reach into the stretch from `top` to `bottom`, and the heights of all before and after them. */
export function visible(chunks, top, bottom) {
  let [before, after, y] = [0, 0, 0];
  const drawn = [];
  for (const chunk of chunks) {
    if (y + chunk.height <= top) before += chunk.height;
    else if (y >= bottom) after += chunk.height;
    else drawn.push(chunk);
    y += chunk.height;
  }
  return { drawn, before, after };
}
