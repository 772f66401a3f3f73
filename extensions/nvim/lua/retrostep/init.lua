--- Recorded programs in Neovim: stepping backward with nvim-dap, values in the source with the built-in
--- client. What is shown is said by the program `retrostep`; here it is asked for and placed.
local config = require('retrostep.config')
local debugger = require('retrostep.debugger')
local history = require('retrostep.history')
local notify = require('retrostep.notify')
local recordings = require('retrostep.recordings')
local server = require('retrostep.server')

local M = {}

M.back = debugger.back
M.back_into = debugger.back_into
M.back_out = debugger.back_out
M.reverse = debugger.reverse
M.previous_moment = debugger.previous_moment
M.record = recordings.record
M.replay = recordings.replay
M.values = server.values

--- Registers with nvim-dap if it is there, and starts the language server for Python files.
---@param options? retrostep.Options
function M.setup(options)
  for _, sentence in ipairs(config.set(options)) do
    notify.warn(sentence)
  end
  require('retrostep.client_commands').register()
  debugger.register()
  server.setup()
  if config.options.keys then
    require('retrostep.keys').map(config.options.prefix)
  end
end

--- For a status line: where the replay stands; empty without one.
---@return string
function M.status()
  local position = debugger.position()
  return position and require('retrostep.icons').text(position.statusLine) or ''
end

--- Goes to a moment in words: `184266`, `3.2s`, `exception`, `start`, `end`; asks if it is absent.
---@param moment? string
function M.go_to(moment)
  if moment and moment ~= '' then
    return debugger.go_to(moment)
  end
  vim.ui.input({ prompt = 'Go to moment: ' }, function(answer)
    if answer and answer ~= '' then
      debugger.go_to(answer)
    end
  end)
end

--- Shows the changes of an expression, the one at the cursor if it is absent.
---@param expression? string
function M.history(expression)
  history.show(expression ~= '' and expression or nil)
end

--- Goes to the last change of an expression, the one at the cursor if it is absent.
---@param expression? string
function M.last_change(expression)
  expression = expression ~= '' and expression or history.expression_at_cursor()
  if not expression then
    return notify.warn('There is no name under the cursor.')
  end
  if debugger.session() then
    return debugger.last_change(expression)
  end
  history.of_server(expression, nil, nil, function(found)
    local write = found.writes[1]
    if write then
      require('retrostep.client_commands').go_to(found.recording, write.position)
    else
      notify.info(('%s was never written.'):format(found.name))
    end
  end)
end

function M.panel()
  require('retrostep.panel').toggle()
end

--- Opens the log of the language server in a tab page, at its end.
function M.log()
  local path = vim.lsp.log and vim.lsp.log.get_filename and vim.lsp.log.get_filename() or vim.lsp.get_log_path()
  vim.cmd.tabedit(vim.fn.fnameescape(path))
  vim.cmd.normal({ 'G', bang = true })
end

return M
