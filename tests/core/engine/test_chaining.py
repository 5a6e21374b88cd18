"""What one processor made is what another works on."""

from __future__ import annotations

import pytest

from novel_tasks_core import ArtifactNotFoundError, AttemptContext, EngineConfig, Processors, TaskEngine
from novel_tasks_core.testing import drain

CHAPTER = f"He rowed. {'She waited. ' * 40}\r\n\r\nwww.example.com\r\n\r\n"
TALE = "".join(f"Chapter {n}\r\n\r\n{CHAPTER}" for n in range(1, 5))


async def test_a_cleaned_novel_is_split(engine_config: EngineConfig) -> None:
    """The artifact of the first task is the source of the second, under the name of the original."""
    async with TaskEngine.open(engine_config, processors=Processors.builtin()) as engine:
        source = await engine.store(TALE.encode(), name="The Ferry.md.txt")
        first = await engine.submit(source, processor="clean")
        await drain(engine)

        cleaned = await engine.artifact_source(first.id, "novel.txt")
        second = await engine.submit(cleaned, processor="split")
        await drain(engine)

        assert cleaned.name == "The Ferry.md.txt"
        assert (await engine.result(second.id))["chapters"] == 4
        _, path = await engine.open_source(second.id)
        assert b"example" not in path.read_bytes()
        with pytest.raises(ArtifactNotFoundError):
            await engine.artifact_source(first.id, "novel.epub")


async def test_cleaned_markdown_is_split_as_markdown(engine_config: EngineConfig) -> None:
    """It is called so; and its name is never longer than a name may be."""
    chapters = (f"Of {n}\n======\n\nHe rowed. {'She waited. ' * 40}\n\n" for n in ("boats", "tides", "lamps"))
    async with TaskEngine.open(engine_config, processors=Processors.builtin()) as engine:
        source = await engine.store("".join(chapters).encode(), name="x" * 246 + ".markdown")
        first = await engine.submit(source, processor="clean")
        plain = await engine.submit(await engine.store(b"It rained.", name="x" * 253 + ".t"), processor="clean")
        await drain(engine)

        cleaned = await engine.artifact_source(first.id, "novel.txt")
        shorter = await engine.artifact_source(plain.id, "novel.txt")
        second = await engine.submit(cleaned, processor="split")
        await engine.submit(shorter, processor="split")
        await drain(engine)

        assert (cleaned.name, shorter.name) == ("x" * 246 + ".md", "x" * 251 + ".txt")
        assert (await engine.result(second.id))["chapters"] == 3


async def test_an_artifact_of_a_task_without_a_file_keeps_its_own_name(
    engine: TaskEngine, processors: Processors
) -> None:
    """There is no original to be called after."""

    async def write(ctx: AttemptContext) -> None:
        await ctx.save_artifact("poem.txt", b"o")

    processors.register("write", write)
    task = await engine.submit(processor="write")
    await drain(engine)

    assert (await engine.artifact_source(task.id, "poem.txt")).name == "poem.txt"
