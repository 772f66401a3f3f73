--- The commands of lenses, actions and hints that the language server leaves to its client.
local debugger = require('retrostep.debugger')
local history = require('retrostep.history')
local icons = require('retrostep.icons')
local notify = require('retrostep.notify')
local recordings = require('retrostep.recordings')
local server = require('retrostep.server')

local M = {}

---@class retrostep.Argument
---@field recording string
---@field position? integer
---@field uri? string
---@field line? integer
---@field expression? string
---@field ['function']? string

---@class retrostep.Call
---@field label string
---@field description string
---@field position integer
---@field raised boolean

--- Goes to a position of a recording; without nvim-dap, to its line.
---@param recording string
---@param position integer
function M.go_to(recording, position)
  if debugger.dap() then
    return debugger.open(recording, position)
  end
  local params = { recording = recording, position = position }
  server.request('retrostep/moment', params, function(moment)
    if not moment.uri then
      return notify.info('That moment is not in a file.')
    end
    vim.cmd.edit(vim.fn.fnameescape(vim.uri_to_fname(moment.uri)))
    local line = moment.range and moment.range.start.line or moment.line
    local last = vim.api.nvim_buf_line_count(0)
    vim.api.nvim_win_set_cursor(0, { math.min(line + 1, last), 0 })
    notify.info('Replaying needs nvim-dap; this is the line.')
  end)
end

---@param argument retrostep.Argument
local function calls(argument)
  local params = {
    recording = argument.recording,
    uri = argument.uri,
    ['function'] = argument['function'],
  }
  server.request('retrostep/calls', params, function(result)
    vim.ui.select(result.calls, {
      prompt = ('Calls of %s'):format(argument['function']),
      kind = 'retrostep',
      ---@param call retrostep.Call
      format_item = function(call)
        return icons.text(('%s  %s'):format(call.label, call.description))
      end,
    }, function(call)
      if call then
        M.go_to(argument.recording, call.position)
      end
    end)
  end)
end

---@param argument retrostep.Argument
local function compare(argument)
  local params = { uri = argument.uri, ['function'] = argument['function'] }
  server.request('retrostep/compare', params, function(result)
    notify.info(icons.text(result.text))
  end)
end

---@param argument retrostep.Argument
local function last_change(argument)
  if debugger.session() then
    return debugger.last_change(argument.expression)
  end
  history.of_server(argument.expression, argument.uri, argument.line, function(found)
    local write = found.writes[1]
    if write then
      M.go_to(found.recording, write.position)
    end
  end)
end

---@type table<string, fun(argument: retrostep.Argument)>
local COMMANDS = {
  goTo = function(argument)
    M.go_to(argument.recording, argument.position)
  end,
  replayHere = function(argument)
    M.go_to(argument.recording, argument.position)
  end,
  history = function(argument)
    history.show(argument.expression, argument.uri, argument.line)
  end,
  lastChange = last_change,
  stopOnChange = function(argument)
    debugger.stop_on_change(argument.expression)
  end,
  hideValues = function()
    server.values('off')
  end,
  calls = calls,
  selectRecording = recordings.select,
  compare = compare,
}

--- Makes the commands known to Neovim's client; those that are there already stay.
function M.register()
  for name, run in pairs(COMMANDS) do
    local id = 'retrostep.' .. name
    vim.lsp.commands[id] = vim.lsp.commands[id]
      or function(command)
        run((command.arguments or {})[1] or {})
      end
  end
end

return M
