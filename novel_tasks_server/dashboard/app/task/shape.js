// The chapters of an analysis as its charts want them: pure. A chapter is what has a bar: a section within it belongs to it,
// and a part without a text of its own is none.

const BARE_PART = 500;
const MOST_BARS = 300;
const MOST_PEOPLE = 60;

/**
 * `{unit, chapters, chapterOf}` of analysis.json: `unit` is "words" or, in Chinese and Japanese or where words cannot be
 * counted, "characters"; `chapterOf` has for each section the chapter that it belongs to.
 */
export function shapeOf(analysis) {
  const { book, sections, language } = analysis;
  const unit = book.words !== null && !/^(zh|ja)\b/.test(language) ? "words" : "characters";
  const chapters = [];
  const chapterOf = [];
  let part = "";
  let opens = false;
  for (const section of sections) {
    const isBare = section.kind === "part" && section.characters <= BARE_PART;
    if (section.kind === "part") [part, opens] = [section.title, true];
    if (!isBare && !(section.kind === "section" && chapters.length && !opens)) {
      chapters.push({
        title: section.title,
        part: section.kind === "part" ? "" : part,
        kind: section.kind,
        amount: 0,
        characters: 0,
        minutes: 0,
        spoken: 0,
      });
      opens = false;
    }
    chapterOf.push(isBare ? chapters.length : Math.max(0, chapters.length - 1));
    if (!isBare) add(chapters.at(-1), section, unit);
  }
  return { unit, chapters, chapterOf: chapterOf.map((at) => Math.min(at, Math.max(0, chapters.length - 1))) };
}

function add(chapter, section, unit) {
  chapter.amount += section[unit] ?? 0;
  chapter.characters += section.characters;
  chapter.minutes += section.reading_minutes ?? 0;
  chapter.spoken += (section.dialogue_share ?? 0) * section.characters;
}

/** How many chapters share a bar. */
export const widthOf = (count) => Math.max(1, Math.ceil(count / MOST_BARS));

/** The bars: `{first, last, amount, spoken}`; of several chapters the mean, `spoken` is the share of dialogue. */
export function barsOf({ chapters }) {
  const width = widthOf(chapters.length);
  const bars = [];
  for (let first = 0; first < chapters.length; first += width) {
    const those = chapters.slice(first, first + width);
    const characters = those.reduce((sum, one) => sum + one.characters, 0);
    bars.push({
      first,
      last: first + those.length - 1,
      amount: those.reduce((sum, one) => sum + one.amount, 0) / those.length,
      spoken: characters ? those.reduce((sum, one) => sum + one.spoken, 0) / characters : 0,
    });
  }
  return bars;
}

/** The people with how often they are named in the chapters of each bar: `{name, aliases, mentions, counts, chapters}`. */
export function peopleOf(analysis, { chapters, chapterOf }) {
  const width = widthOf(chapters.length);
  return (analysis.book.people ?? []).slice(0, MOST_PEOPLE).map(({ name, aliases, mentions, by_chapter }) => {
    const counts = new Array(Math.ceil(chapters.length / width)).fill(0);
    const where = new Set();
    for (const [section, count] of by_chapter) {
      const chapter = chapterOf[section] ?? 0;
      where.add(chapter);
      counts[Math.floor(chapter / width)] += count;
    }
    return {
      name,
      aliases,
      mentions,
      counts,
      chapters: where.size,
      first: where.size ? Math.min(...where) : null,
      last: where.size ? Math.max(...where) : null,
    };
  });
}

/** The middle one of values, or the mean of the two in the middle. */
export function median(values) {
  const ordered = [...values].sort((one, other) => one - other);
  const middle = ordered.length >> 1;
  return ordered.length % 2 ? ordered[middle] : (ordered[middle - 1] + ordered[middle]) / 2;
}

/** A step of 1, 2 or 5 times a power of ten that divides `highest` into at most four. */
export function stepOf(highest) {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, highest / 4)));
  return [1, 2, 5, 10].map((factor) => factor * power).find((step) => highest / step <= 4) ?? power * 10;
}
