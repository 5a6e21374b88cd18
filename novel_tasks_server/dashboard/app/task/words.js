// The words of this part of the page.
export const en = {};

export const zh = {};
