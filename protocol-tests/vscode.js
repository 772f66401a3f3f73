// The extension in the real VS Code: F5 on a program that raises, the toolbar and the keys backward, breakpoints, the
// debug console, values in the source, hovers, lenses, lists, the side panel.
// Usage: node vscode.js URL CHROMIUM PROFILE PICTURES
// What the page shows is waited for; pictures of the window are kept in the folder PICTURES, also of where it failed.
"use strict";
const path = require("path");
const { chromium } = require("playwright-core");

const [url, executablePath, profile, pictures] = process.argv.slice(2);
const LIMIT = 30000;

const STACK = ".pane:has(.debug-call-stack)";
const VARIABLE = ".debug-variables .monaco-list-row";
const SAID = ".repl .monaco-list-row";
const LINE = ".monaco-editor .view-line";
const LENS = ".monaco-editor .codelens-decoration a";
const HOVER = ".monaco-hover:not(.hidden) .monaco-hover-content";
const STATUS = ".statusbar-item";
const PICKED = ".quick-input-widget .monaco-list-row";
const RECORDING = '.pane:has-text("Recordings") .monaco-list-row';

/** The element with all of `texts`, when it is shown. */
async function shown(page, selector, ...texts) {
  let found = page.locator(selector).filter({ visible: true });
  for (const text of texts) {
    found = found.filter({ hasText: text });
  }
  await found.first().waitFor({ state: "visible" });
  return found.first();
}

/** Waits until no element with `text` is shown. */
async function gone(page, selector, text) {
  await page.locator(selector).filter({ hasText: text, visible: true }).first().waitFor({ state: "hidden" });
}

/** Waits until the replay stands in a frame: it is the uppermost one, and the toolbar can be used. */
async function stands(page, frame, place) {
  await page.waitForFunction(
    ([frame, place]) => {
      const top = document.querySelector(".debug-call-stack .stack-frame")?.textContent ?? "";
      const isStopped = document.querySelector(".debug-toolbar .disabled") === null;
      return isStopped && top.includes(frame) && top.includes(place);
    },
    [frame, place],
  );
}

async function picture(page, name) {
  await page.screenshot({ path: path.join(pictures, `${name}.png`), animations: "disabled" });
}

async function palette(page, title) {
  await page.keyboard.press("F1");
  await page.fill(".quick-input-widget input.input", `>${title}`);
  await shown(page, PICKED, title);
  await page.keyboard.press("Enter");
}

/** F5 on the README's configuration: the replay begins at the exception. */
async function record(page) {
  await page.goto(url);
  await page.dblclick('.explorer-folders-view .monaco-list-row:has-text("replay_orders.py")');
  await shown(page, ".tabs-container .tab.active", "replay_orders.py");
  await shown(page, LINE, "read_orders");
  await page.keyboard.press("Control+Shift+D");
  await page.click(".start-debug-action-item .codicon-debug-start");

  await shown(page, STACK, "Raised ValueError", "total_due", "26:1", "replay_orders.py");
  await shown(page, VARIABLE, "due =Decimal('-18.7500')");
  await shown(page, SAID, "31 Yara 1 0.00");
  await shown(page, SAID, "replay_orders ended with exit code 1");
  await shown(page, STATUS, "raised ValueError");
}

/** Values at the ends of the lines, calls above the functions: those of the moment, which follow each step. */
async function values(page) {
  await shown(page, LINE, "due = subtotal - off", "= -18.7500");
  await shown(page, LINE, "def total_due", "call 32 of 32");
  await shown(page, LENS, "32 calls");
  // The editor may lose which frame it shows when it asks for the call stack twice at once, and the exception with it.
  await page.click(`${STACK} .stack-frame:has-text("total_due")`);
  await shown(page, ".exception-widget", "total below zero: -18.75");
  await picture(page, "exception");
}

async function stepBack(page) {
  await page.click("a.action-label.codicon-debug-step-back");
  await stands(page, "total_due", "26:1");
  await shown(page, STACK, "Step back");
  await page.keyboard.press("Control+F10");
  await stands(page, "total_due", "25:1");
  await page.keyboard.press("Control+F10");
  await stands(page, "total_due", "24:1");
  // The line that computes `due` did not run yet.
  await gone(page, LINE, "= -18.7500");

  // Into the call that ended last, which is that of line 23, and out to the line that made it.
  await page.click('.debug-toolbar a.action-label[aria-label^="Step Back Into"]');
  await stands(page, "discount", "17:1");
  await shown(page, LINE, "def discount", "call 32 of 32");
  await picture(page, "step-back-into");
  await page.click('.debug-toolbar a.action-label[aria-label^="Step Back Out"]');
  await stands(page, "total_due", "23:1");
  // The call has not begun; the one before is shown.
  await shown(page, LINE, "def discount", "call 31 of 32");
  await page.keyboard.press("Control+Shift+F11");
  await stands(page, "main", "17:1");
  await shown(page, LINE, "due = total_due(cart, customer)", "pass 31 of 32");
  await palette(page, "Retrostep: Go to Last Exception");
  await stands(page, "total_due", "26:1");
}

/** With a breakpoint on this line, Reverse meets its executions one after the other, and Continue the later one again. */
async function breakpoint(page) {
  await page.click('.view-line:has-text("if due <")');
  await page.keyboard.press("F9");
  await shown(page, ".debug-breakpoints .monaco-list-row", "pricing.py", "25");
  await page.click("a.action-label.codicon-debug-reverse-continue");
  await stands(page, "total_due", "25:1");
  await page.keyboard.press("Control+F9");
  await shown(page, VARIABLE, "due =Decimal('0.0000')");
  await stands(page, "total_due", "25:1");
  await shown(page, STACK, "Breakpoint");
  await page.click("a.action-label.codicon-debug-continue");
  await shown(page, VARIABLE, "due =Decimal('-18.7500')");

  await page.click(".repl-input-wrapper .view-line");
  await page.keyboard.type("history codes");
  await page.keyboard.press("Enter");
  await shown(page, SAID, "5 → 6 items, + 'LOYAL20'");
}

/** The pointer over a name shows its value with its history, whose links list the changes and go to them. */
async function hover(page) {
  await page.hover('.view-line:has-text("codes = add_loyalty") >> text=codes >> nth=0');
  await shown(page, HOVER, "How it came to be");
  await picture(page, "hover");
  await page.click(`${HOVER} a:has-text("History")`);
  await shown(page, ".quick-input-title", "History of codes");
  await page.keyboard.press("ArrowDown");
  // The line that is looked at, in another file.
  await shown(page, ".tabs-container .tab.active", "replay_orders.py");
  await page.keyboard.press("ArrowDown");
  await shown(page, ".tabs-container .tab.active", "pricing.py");
  await picture(page, "history");
  await page.keyboard.press("Enter");
  await stands(page, "add_loyalty", "9:1");
}

/** The calls of a function, from the lens. */
async function calls(page) {
  await page.click(`${LENS}:has-text("32 calls") >> nth=0`);
  await shown(page, PICKED, "#32");
  await picture(page, "calls");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await stands(page, "add_loyalty", "8:1");
  await shown(page, LINE, "def add_loyalty", "call 31 of 32");
}

async function moments(page) {
  await page.keyboard.press("Control+k");
  await page.keyboard.press("g");
  await page.fill(".quick-input-widget input.input", "exception");
  await shown(page, ".quick-input-message", "total_due line 26");
  await picture(page, "moment");
  await page.keyboard.press("Enter");
  await stands(page, "total_due", "26:1");
  await palette(page, "Retrostep: Go to Start of Recording");
  await shown(page, STATUS, "start of recording");

  // Back from there, and forward again.
  await page.click(".debug-call-stack");
  await page.keyboard.press("Control+k");
  await page.keyboard.press("r");
  await stands(page, "total_due", "26:1");
  await palette(page, "Retrostep: Forward to Next Moment");
  await shown(page, STATUS, "0 of");
}

/** The eye in the editor's title takes the values away and brings them back. */
async function eye(page) {
  await page.click(".editor-actions a.codicon-eye");
  await gone(page, LINE, "call 32 of 32");
  await page.click(".editor-actions a.codicon-eye-closed");
  await shown(page, LINE, "def total_due", "call 32 of 32");
}

/** The side panel lists the recording; its exception is gone to without a replay being open. */
async function panel(page) {
  await page.click("a.action-label.codicon-debug-stop");
  await gone(page, ".debug-toolbar", "");
  await page.click('.activitybar a.action-label[aria-label="Retrostep"]');
  await shown(page, RECORDING, "replay_orders", "ValueError");
  await page.click('.pane:has-text("Recordings") .monaco-list-row .monaco-tl-twistie');
  const exception = await shown(page, RECORDING, "ValueError: total below zero", "pricing.py:26");
  await picture(page, "panel");
  await exception.click();
  await page.keyboard.press("Enter");
  await shown(page, ".debug-toolbar", "");
  await stands(page, "total_due", "26:1");
  await shown(page, STATUS, "raised ValueError");
  await page.click('.activitybar a.action-label[aria-label="Retrostep"]');
  await shown(page, RECORDING, "replay_orders", "open");
  await picture(page, "panel-replay");
  await palette(page, "Preferences: Toggle between Light/Dark Themes");
  await page.locator(".monaco-workbench.vs-dark").waitFor();
  await picture(page, "panel-dark");
  await eye(page);

  await (await shown(page, RECORDING, "replay_orders", "ValueError,")).click({ button: "right" });
  // The menu takes no clicks in its first moments.
  await page.hover('.monaco-menu .action-item:has-text("Rename…")');
  await page.keyboard.press("Enter");
  await page.fill(".quick-input-widget input.input", "below-zero");
  await page.keyboard.press("Enter");
  await shown(page, RECORDING, "below-zero");
}

async function main() {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    headless: true,
    viewport: { width: 1400, height: 900 },
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync",
      "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    ],
  });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(LIMIT);
  try {
    await record(page);
    await values(page);
    await stepBack(page);
    await breakpoint(page);
    await hover(page);
    await calls(page);
    await moments(page);
    await panel(page);
  } catch (error) {
    await picture(page, "failed");
    throw error;
  } finally {
    await context.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
