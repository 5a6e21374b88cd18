"""What is wanted of novels: the forms of the processors' options, and chapter rules tried out before uploading."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from attrs import field, frozen, validators
from playwright.async_api import expect

from novel_tasks_core import AttemptContext, Processors
from tests.browser.conftest import OpenSite
from tests.browser.pages import Pages, findings
from tests.browser.uploading import (
    NOTE_FIELDS,
    TALE,
    choose,
    drop,
    novel,
    options_of,
    panel,
    payload,
    settled,
)


async def test_options_are_a_form_and_wrong_ones_are_told_at_their_fields(open_site: OpenSite, pages: Pages) -> None:
    """Novels wait while the options cannot be used, by the page's or the server's word; only what differs is sent."""
    site = await open_site(runs_worker=False)
    page = await pages.open()
    await page.add_init_script(NOTE_FIELDS)
    await page.goto(site.url)
    await page.get_by_label("Processor").select_option("epub")
    await page.get_by_role("button", name="Options").click()
    form = page.get_by_role("region", name="Options of epub")
    await form.get_by_label("Author").fill("Jane")
    await form.get_by_label("Cover").uncheck()
    await form.get_by_label("Chapter rule").fill("x" * 501)
    await expect(form.get_by_text("At most 500 characters.")).to_be_visible()
    await choose(page).set_input_files([payload("a.txt")])
    await expect(panel(page).get_by_text("1 novel waits: correct the options above.")).to_be_visible()
    await expect(page.get_by_role("button", name="Add 1")).to_be_disabled()
    assert await findings(page) == []
    await form.get_by_label("Chapter rule").fill("")
    await form.get_by_label("Encoding").fill("klingon")
    await page.get_by_role("button", name="Add 1").click()
    await expect(form.get_by_label("Encoding")).to_have_attribute("aria-invalid", "true")
    await expect(form.get_by_text("Encoding", exact=False).filter(has_text="klingon")).to_be_visible()
    assert await site.engine.count() == 0
    await form.get_by_label("Encoding").fill("utf-8")
    await page.get_by_role("button", name="Add 1").click()
    await expect(settled(page, "1 taken in")).to_be_visible()
    [options] = await options_of(site)
    assert (options["author"], options["cover"], options["encoding"], options["title"]) == (
        "Jane",
        False,
        "utf-8",
        None,
    )
    sent = await page.evaluate("() => sentFields.options")
    assert json.loads(sent) == {"encoding": "utf-8", "author": "Jane", "cover": False}
    await page.reload()
    await expect(page.get_by_label("Processor")).to_have_value("epub")
    await expect(panel(page).get_by_text("Encoding: utf-8 · Author: Jane · Cover: No")).to_be_visible()


@frozen(kw_only=True)
class Margin:
    """A group of options."""

    left: float = field(default=1.5, validator=validators.ge(0))
    unit: Literal["cm", "in"] = "cm"


@frozen(kw_only=True)
class PickyOptions:
    """Options of every kind that a processor may have."""

    copies: int = field(validator=validators.and_(validators.ge(1), validators.le(9)))
    code: str = field(default="A1", validator=validators.matches_re("[A-Z][0-9]"))
    draft: bool | None = None
    tags: list[str] = field(factory=list)
    margin: Margin = field(factory=Margin)
    spare: Margin | None = None
    extra: dict[str, int] = field(factory=dict)


async def test_any_processor_gets_a_form(open_site: OpenSite, pages: Pages, processors: Processors) -> None:
    """Numbers with bounds, patterns, lists, choices, groups and JSON come from the schema and reach the task."""

    @processors.register("picky", description="Wants much.")
    async def picky(ctx: AttemptContext, options: PickyOptions) -> dict[str, object]:
        return {}

    site = await open_site(runs_worker=False, default_processor="picky")
    page = await pages.open()
    await page.goto(site.url)
    await expect(panel(page).get_by_text("Wants much.")).to_be_visible()
    form = page.get_by_role("region", name="Options of picky")
    await expect(form.get_by_text("This is needed.")).to_be_visible()
    await form.get_by_label("Copies").fill("12")
    await expect(form.get_by_text("At most 9.")).to_be_visible()
    await form.get_by_label("Copies").fill("3")
    await form.get_by_label("Code").fill("b2")
    await expect(form.get_by_text("This must match [A-Z][0-9].")).to_be_visible()
    await form.get_by_label("Code").fill("B2")
    await form.get_by_label("Draft").select_option("No")
    await form.get_by_label("Tags").fill("war\n\npeace")
    await form.get_by_role("group", name="Margin").get_by_label("Unit").select_option("in")
    spare = form.get_by_role("group", name="Spare")
    await spare.get_by_label("Set these").check()
    await spare.get_by_label("Left").fill("-1")
    await expect(spare.get_by_text("At least 0.")).to_be_visible()
    await spare.get_by_label("Left").fill("2.25")
    await form.get_by_label("Extra").fill("{")
    await expect(form.get_by_text("This is not JSON")).to_be_visible()
    await form.get_by_label("Extra").fill('{"a": 1}')
    await form.get_by_text("Priority and time").click()
    await form.get_by_label("Priority").fill("7")
    assert await findings(page) == []
    await choose(page).set_input_files([payload("a.txt")])
    await expect(settled(page, "1 taken in")).to_be_visible()
    [task] = (await site.engine.find()).items
    assert task.priority == 7
    assert await options_of(site) == [
        {
            "copies": 3,
            "code": "B2",
            "draft": False,
            "tags": ["war", "peace"],
            "margin": {"left": 1.5, "unit": "in"},
            "spare": {"left": 2.25, "unit": "cm"},
            "extra": {"a": 1},
        }
    ]


async def test_a_chapter_rule_is_tried_out_as_it_is_typed(open_site: OpenSite, pages: Pages, tmp_path: Path) -> None:
    """Before anything is uploaded the page shows what a rule finds in a file, and what is wrong with a rule."""
    site = await open_site(runs_worker=False)
    page = await pages.open()
    await page.goto(site.url)
    await page.get_by_label("Processor").select_option("split")
    await page.get_by_role("button", name="Options").click()
    await page.get_by_role("button", name="Try it on a file").click()
    await page.get_by_label("Choose a file").set_input_files([payload("novel.txt", TALE.format(name="X") * 4)])
    found = page.get_by_role("list", name="Headings found")
    await expect(panel(page).get_by_text("12 chapters")).to_be_visible()
    await page.get_by_label("Chapter rule").fill(r"(?P<title>It was \w+)")
    await expect(found.get_by_role("listitem").first).to_contain_text("It was evening")
    await expect(panel(page).get_by_text("8 chapters")).to_be_visible()
    assert await findings(page) == []
    await page.get_by_label("Chapter rule").fill("It was (")
    await expect(panel(page).get_by_text("Chapter rule is not a regular expression")).to_be_visible()
    assert await findings(page) == []
    await page.get_by_label("Chapter rule").fill("It was night")
    await expect(panel(page).get_by_text("4 chapters")).to_be_visible()
    trial = page.get_by_role("button", name="Try it on a file")
    await trial.click()
    await expect(found).to_be_hidden()
    await drop(page, novel(tmp_path, "dropped.txt"), onto=trial)
    await expect(panel(page).get_by_text("Tried on dropped.txt")).to_be_visible()
    await expect(panel(page).get_by_text("1 chapter")).to_be_visible()
    assert await site.engine.count() == 0


async def test_what_is_wrong_is_told_in_chinese(open_site: OpenSite, pages: Pages) -> None:
    """By the page and by the server: at the field, before and while novels are sent, and why chapters are chapters."""
    site = await open_site(runs_worker=False)
    page = await pages.open(locale="zh-CN")
    await page.goto(site.url)
    await page.locator("#uploads-processor").select_option("epub")
    await page.get_by_role("button", name="选项").click()
    form = page.get_by_role("region", name="epub 的选项")
    await page.get_by_role("button", name="用文件试一试").click()
    await form.get_by_label("选择文件").set_input_files([payload("novel.txt", TALE.format(name="X") * 4)])
    await expect(form.get_by_text("12个标题，形式为“chapter N”")).to_be_visible()
    await form.get_by_label("章节规则").fill("It was (")
    wrong = form.get_by_text("不是正确的正则表达式：")
    await expect(wrong.locator("[lang=en]")).to_contain_text("unterminated subpattern")
    await form.get_by_label("章节规则").fill("x*")
    await expect(form.get_by_text("不能匹配空行")).to_be_visible()
    await form.get_by_label("章节规则").fill("x" * 501)
    await expect(form.get_by_text("最多 500 个字符。")).to_be_visible()
    await form.get_by_label("章节规则").fill("")
    await form.get_by_label("语言").fill("a language")
    await page.get_by_label("选择文件").first.set_input_files([payload("a.txt")])
    await expect(form.get_by_text("不是语言标签")).to_be_visible()
    await form.get_by_label("编码").fill("klingon")
    await expect(form.get_by_text("没有名为“klingon”的文件编码")).to_be_visible()
    assert await findings(page) == []
    await page.get_by_role("button", name="全部恢复默认").click()
    await page.locator("#uploads-processor").select_option("clean")
    rules = page.get_by_label("停用的规则")
    await rules.fill("bad\0rule")
    await page.get_by_role("button", name="添加 1 本").click()
    await expect(page.get_by_text("含有无法保存的字符")).to_be_visible()
    await rules.fill("")
    await page.get_by_role("button", name="添加 1 本").click()
    await expect(settled(page, "已收下 1 本")).to_be_visible()
