"""`python -m novel_tasks_server`: the same program as `novel-tasks`."""

from novel_tasks_server.cli import main

if __name__ == "__main__":
    main()
