import type { Catalogue } from "../catalogue";
import { account } from "./account";
import { admin } from "./admin";
import { assistants } from "./assistants";
import { chat } from "./chat";
import { common } from "./common";
import { home } from "./home";
import { insight } from "./insight";
import { knowledge } from "./knowledge";
import { nav } from "./nav";
import { settings } from "./settings";
import { test } from "./test";
import { voice } from "./voice";
import { widget } from "./widget";

export { problems } from "./problems";

export const de: Catalogue = { account, admin, assistants, chat, common, home, insight, knowledge, nav, settings, test, voice, widget };
