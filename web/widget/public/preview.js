// Puts the widget on this page as a site does: by one script element, with what the address says.
const script = document.createElement("script");
script.src = "/widget/widget.js";
for (const [name, value] of new URLSearchParams(location.search)) {
  if (/^data-(widget|side|language|colour)$/.test(name)) script.setAttribute(name, value);
}
if (script.dataset.language) document.documentElement.lang = script.dataset.language;
document.body.append(script);
