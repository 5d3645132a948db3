import { expect, test } from "vitest";
import { attributesOf, lineWith, previewOf } from "./line";

const SNIPPET = '<script src="https://aura.example/widget/widget.js" data-widget="1f6c" async></script>';

test("a line says only what is not as usual", () => {
  expect(lineWith(SNIPPET, attributesOf({ side: "right", language: "", colour: "" }))).toBe(SNIPPET);
  expect(lineWith(SNIPPET, attributesOf({ side: "left", language: "de", colour: "#7a1f3d" }))).toBe(
    '<script src="https://aura.example/widget/widget.js" data-widget="1f6c" data-side="left" data-language="de" data-colour="#7a1f3d" async></script>',
  );
});

test("what is no colour does not come into the line", () => {
  expect(attributesOf({ side: "right", language: "", colour: '#12"><script>' })).toEqual({});
});

test("the preview is told the same as the site", () => {
  expect(previewOf("1f6c", { "data-side": "left" })).toBe("/widget/preview.html?data-widget=1f6c&data-side=left");
});
