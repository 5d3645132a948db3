// Before the first paint: the colours that this browser's user has chosen, so that nothing flashes.
(() => {
  let chosen = "auto";
  try {
    chosen = localStorage.getItem("aura.scheme") || "auto";
  } catch {
    // Storage is switched off; the system's colours it is.
  }
  const isDark = chosen === "dark" || (chosen === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", isDark ? "dark" : "light");
})();
