// The words of the uploads.
export const en = {
  "uploads.title": "Add novels",
  "uploads.hint": "Drop text files here, or choose them.",
  "uploads.choose": "Choose files",
};

export const zh = {
  "uploads.title": "添加小说",
  "uploads.hint": "把文本文件拖放到这里，或选择文件。",
  "uploads.choose": "选择文件",
};
