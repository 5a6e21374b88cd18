// Before anything is drawn: the wanted colours and the language, so that nothing flickers.
(() => {
  const root = document.documentElement;
  const read = (name) => {
    try {
      return localStorage.getItem(`novel-tasks.${name}`);
    } catch {
      return null;
    }
  };
  const theme = read("theme");
  const dark = theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "dark" : "light";
  const spoken = (navigator.languages || [navigator.language]).find((tag) => /^(en|zh)/.test(tag));
  root.lang = (read("language") || spoken || "en").startsWith("zh") ? "zh-CN" : "en";
})();
