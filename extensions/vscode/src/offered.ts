// Lets the server's hovers and actions run commands, of those only that this extension has.
import * as vscode from "vscode";
import { Middleware } from "vscode-languageclient/node";

const COMMANDS = [
  "retrostep.goTo",
  "retrostep.replayHere",
  "retrostep.history",
  "retrostep.lastChange",
  "retrostep.hideValues",
  "retrostep.compare",
];

export const offered: Middleware = {
  async provideHover(document, position, token, next) {
    const hover = await next(document, position, token);
    if (hover) {
      hover.contents = hover.contents.map((content) =>
        content instanceof vscode.MarkdownString ? trusted(content.value) : content,
      );
    }
    return hover;
  },
  async provideCodeActions(document, range, context, token, next) {
    const actions = await next(document, range, context, token);
    return actions?.filter(({ command }) => {
      const id = typeof command === "object" ? command.command : command;
      return id === undefined || !id.startsWith("retrostep.") || COMMANDS.includes(id);
    });
  },
};

/** Markdown with icons and links; a link to a command that does not exist here is left out. */
function trusted(markdown: string): vscode.MarkdownString {
  const links = / ?\[[^\]]*\]\(command:([\w.]+)[^)]*\)/g;
  const known = markdown.replace(links, (link, command) => (COMMANDS.includes(command) ? link : ""));
  const text = new vscode.MarkdownString(known, true);
  text.isTrusted = { enabledCommands: COMMANDS };
  return text;
}
