"""txt-to-epub-converter on one file: `converter.py NOVEL EPUB` prints its CPU seconds, imports left out."""

from __future__ import annotations

import sys
import time

from txt_to_epub import txt_to_epub


def main(novel: str, epub: str) -> None:
    """Convert and print."""
    began = time.process_time()
    txt_to_epub(novel, epub, title="Novel", author="Author", show_progress=False)
    print(f"\n{time.process_time() - began}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
