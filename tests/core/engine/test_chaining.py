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
