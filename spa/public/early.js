// Before anything is painted: the language, the colours and whether somebody is signed in. All else comes later.
(() => {
  const page = document.documentElement;
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null; // the browser keeps nothing for us
    }
  };
  const language = kept("watchferry.language");
  const speaks = navigator.languages.some((each) => each.startsWith("ru")) ? "ru" : "en";
  page.lang = ["en", "ru"].includes(language) ? language : speaks;
  const scheme = kept("mantine-color-scheme-value");
  const dark = scheme === "dark" || (scheme !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  page.dataset.mantineColorScheme = dark ? "dark" : "light";
  page.toggleAttribute("data-known", document.cookie.includes("__Host-signed-in=1"));
})();
