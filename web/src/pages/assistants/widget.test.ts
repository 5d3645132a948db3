import { expect, test } from "vitest";
import { originOf } from "./widget";

test("what is typed as a site becomes its origin", () => {
  expect(originOf("www.example.com/shop?a=1")).toBe("https://www.example.com");
  expect(originOf(" http://localhost:8080/ ")).toBe("http://localhost:8080");
  expect(originOf("HTTPS://Example.com:443")).toBe("https://example.com");
  expect(["", "two words", "two%20words", "*.example.com", "javascript:alert(1)", "https://a@b.example"].map(originOf)).toEqual([null, null, null, null, null, null]);
});
