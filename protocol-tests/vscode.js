// A new user's first step back in the real VS Code: F5 on a launch.json, the stop at the exception, Step Back and
// Reverse in the toolbar, a breakpoint, the debug console.
// Usage: node vscode.js URL CHROMIUM PROFILE PICTURES
// What the page shows is waited for; where it does not come, a picture of the window is left in the folder PICTURES.
"use strict";
const path = require("path");
const { chromium } = require("playwright-core");

const [url, executablePath, profile, pictures] = process.argv.slice(2);
const LIMIT = 60000;

/** Waits until an element with all of `texts` is shown. */
async function shown(page, selector, ...texts) {
  let found = page.locator(selector);
  for (const text of texts) {
    found = found.filter({ hasText: text });
  }
  await found.first().waitFor({ state: "visible" });
}

async function conversation(page) {
  await page.goto(url);
  await page.dblclick('.explorer-folders-view .monaco-list-row:has-text("replay_orders.py")');
  await shown(page, ".tabs-container .tab.active", "replay_orders.py");
  await shown(page, ".monaco-editor .view-line", "read_orders");
  await page.keyboard.press("Control+Shift+D");
  await page.click(".start-debug-action-item .codicon-debug-start");

  const stack = ".pane:has(.debug-call-stack)";
  const variable = ".debug-variables .monaco-list-row";
  const said = ".repl .monaco-list-row";
  await shown(page, stack, "Raised ValueError", "total_due", "26:1", "replay_orders.py");
  await shown(page, variable, "due =Decimal('-18.7500')");
  await shown(page, said, "31 Yara 1 0.00");
  await shown(page, said, "replay_orders ended with exit code 1");

  await page.click("a.action-label.codicon-debug-step-back");
  await shown(page, stack, "Step back", "total_due", "26:1");
  await page.click("a.action-label.codicon-debug-step-back");
  await shown(page, stack, "Step back", "total_due", "25:1");

  // With a breakpoint on this line, Reverse meets its execution for the order before, and Continue this one again.
  await page.click('.view-line:has-text("if due <")');
  await page.keyboard.press("F9");
  await shown(page, ".debug-breakpoints .monaco-list-row", "pricing.py", "25");
  await page.click("a.action-label.codicon-debug-reverse-continue");
  await shown(page, variable, "due =Decimal('0.0000')");
  await shown(page, stack, "Breakpoint", "total_due", "25:1");
  await page.click("a.action-label.codicon-debug-continue");
  await shown(page, variable, "due =Decimal('-18.7500')");

  await page.click(".repl-input-wrapper .view-line");
  await page.keyboard.type("history codes");
  await page.keyboard.press("Enter");
  await shown(page, said, "5 → 6 items, + 'LOYAL20'");
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
    await conversation(page);
    await page.screenshot({ path: path.join(pictures, "end.png") });
  } catch (error) {
    await page.screenshot({ path: path.join(pictures, "failed.png") });
    throw error;
  } finally {
    await context.close();
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
