"""Pure functions on text: decoding, language, chapters, tokens, dialogue, people. No I/O."""
