// Why the chapters are where they are, which the splitter says in English, in the words of the report. The table is the
// report's own; a test holds them together.
import { html } from "./html.js";
import { Foreign } from "./told.js";
import { language } from "./words.js";

const CHINESE = [
  [/^(\d+) headings? of the form a bare number \((\w+)\)/g, "$1个标题，形式为单独的数字"],
  [/^(\d+) headings? of the form number and title \((\w+)\)/g, "$1个标题，形式为数字加题目"],
  [/^(\d+) headings? of the form /g, "$1个标题，形式为"],
  [/,? in (\d+) parts?/g, "，分$1部"],
  [/, counting without a gap/g, "，编号连续"],
  [/^(\d+) headings? from the Markdown/g, "$1个标题，来自 Markdown 标记"],
  [/^(\d+) headings? from the text's own heading marks/g, "$1个标题，来自文中的标题标记"],
  [/^(\d+) of the (\d+) entries of the book's own contents list/g, "与书中目录的$2项中的$1项相符"],
  [/^(\d+) lines? that say a date, as in a diary or in letters/g, "$1行写明日期，如同日记或书信"],
  [/^(\d+) short lines with more space around them than paragraphs have/g, "$1个短行，前后空白多于段落"],
  [/^(\d+) lines? that your rule matches/g, "$1行符合所给的规则"],
  [/your rule matches no line: the text is one piece/g, "没有符合所给规则的行，全文为一体"],
  [/^more than (\d+) lines look like headings: the text is left in one piece/g, "形似标题的行超过$1行，全文为一体"],
  [/no heading found: the text is one piece/g, "没有发现标题，全文为一体"],
  [/no heading/g, "没有标题"],
  [/only (\d+) of them/g, "标题仅有$1个"],
  [/some are misprinted/g, "有些标题有误印"],
  [/the count breaks once/g, "编号中断一次"],
  [/the count breaks (\d+) times/g, "编号中断$1次"],
  [/(\d+) do(?:es)? not stand apart from the text/g, "$1个与正文没有隔开"],
  [/one is much longer than the others/g, "其中一章远长于其他"],
  [/a long text precedes the first/g, "第一章之前有很长的文字"],
  [/they are very long/g, "各章都很长"],
  [/other lines are numbered too/g, "另有带编号的行"],
  [/[,;] /g, "，"],
];

/** A reason in Chinese, null when a part of it has no words. */
function inChinese(reason) {
  const said = CHINESE.reduce((text, [pattern, words]) => text.replaceAll(pattern, words), reason);
  return /[A-Za-z]{3}/.test(said.replace(/“[^”]*”|Markdown/g, "")) ? null : said;
}

/** The reason of a novel's chapters. */
export function Because({ reason }) {
  const words = language.value === "zh" ? inChinese(reason) : null;
  return words ?? html`<${Foreign} text=${reason} />`;
}
