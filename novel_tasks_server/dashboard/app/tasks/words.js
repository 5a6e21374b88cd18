// The words of the list of tasks.
export const en = {
  "tasks.title": "Tasks",
  "tasks.empty": "No novels yet. Drop some above.",
};

export const zh = {
  "tasks.title": "任务",
  "tasks.empty": "还没有小说，请拖放到上方。",
};
