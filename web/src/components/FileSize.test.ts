import { expect, test } from "vitest";
import { sizeText } from "./FileSize";

test("a size is said in the largest unit that leaves a whole, as the language writes it", () => {
  expect(sizeText(0, "en")).toBe("0 bytes");
  expect(sizeText(1536, "en")).toBe("1.5 kB");
  expect(sizeText(10 * 2 ** 30, "en")).toBe("10 GB");
  expect(sizeText(3.4 * 2 ** 20, "de")).toBe("3,4 MB");
});
