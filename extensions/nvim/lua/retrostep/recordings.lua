--- Recordings: choosing one, making one, opening one.
local debugger = require('retrostep.debugger')
local icons = require('retrostep.icons')
local notify = require('retrostep.notify')
local program = require('retrostep.program')
local server = require('retrostep.server')

local M = {}

---@class retrostep.Exception
---@field label string
---@field description? string
---@field position integer

---@class retrostep.Recording a row of `retrostep/recordings`
---@field path string
---@field id string
---@field label string
---@field description string
---@field tooltip string
---@field result 'passed'|'failed'|'cut'|'running'|'unreadable'
---@field selected boolean
---@field open boolean
---@field exceptions retrostep.Exception[]

--- The recordings of the workspace, the newest first.
---@param callback fun(recordings: retrostep.Recording[])
function M.all(callback)
  server.request('retrostep/recordings', vim.empty_dict(), function(result)
    callback(result.recordings)
  end)
end

--- Lets the user choose a recording; nothing if there is none, or none is chosen.
---@param callback fun(recording: retrostep.Recording?)
---@param prompt? string
function M.choose(callback, prompt)
  M.all(function(recordings)
    if #recordings == 0 then
      notify.info('Nothing is recorded here yet. :RetrostepRecord records a run.')
      return callback(nil)
    end
    vim.ui.select(recordings, {
      prompt = prompt or 'Replay a recording',
      kind = 'retrostep',
      format_item = function(recording)
        local icon = icons.results[recording.result].icon
        return icons.text(('%s %s  %s'):format(icon, recording.label, recording.description))
      end,
    }, callback)
  end)
end

--- Opens a recording: the one of that name, or one that the user chooses.
---@param name? string
function M.replay(name)
  if not debugger.dap() then
    return notify.warn('Replaying needs nvim-dap; "retrostep replay" does it in a terminal.')
  end
  if name and name ~= '' then
    return debugger.open(name, nil, program.root())
  end
  M.choose(function(recording)
    if recording then
      debugger.open(recording.path)
    end
  end)
end

--- Lets the user choose the recording whose values are shown.
function M.select()
  M.choose(function(recording)
    if recording then
      local chosen = not recording.selected and recording.path or vim.NIL
      server.request('retrostep/selectRecording', { recording = chosen }, function() end)
    end
  end, 'Show the values of')
end

---@param command string[]
---@param folder string
---@param on_exit fun()
local function in_terminal(command, folder, on_exit)
  vim.cmd('botright 12new')
  local options = { cwd = folder, on_exit = vim.schedule_wrap(on_exit) }
  if vim.fn.has('nvim-0.11') == 1 then
    options.term = true
    vim.fn.jobstart(command, options)
  else
    ---@diagnostic disable-next-line: deprecated
    vim.fn.termopen(command, options)
  end
  vim.cmd.wincmd('p')
end

--- Records a command in a terminal and replays it.
---@param arguments string[]
---@param folder? string
function M.run(arguments, folder)
  local path = program.path()
  if not path then
    return notify.error(program.NOT_FOUND)
  end
  folder = folder or assert(vim.uv.cwd())
  local command = vim.list_extend({ path, 'record', '--' }, arguments)
  local before = (program.list(folder) or {})[1]
  in_terminal(command, folder, function()
    local entry = (program.list(folder) or {})[1]
    if not entry or (before and before.id == entry.id) then
      notify.error('Nothing was recorded; the terminal tells why.')
    elseif debugger.dap() then
      debugger.open(entry.path, nil, folder)
    else
      notify.info(('Recorded %s. Moving in it needs nvim-dap.'):format(entry.name))
    end
  end)
end

--- Records a command line, or the current file.
---@param arguments string[]
function M.record(arguments)
  if #arguments > 0 then
    return M.run(vim.tbl_map(vim.fn.expand, arguments))
  end
  local file = vim.api.nvim_buf_get_name(0)
  if vim.bo.filetype ~= 'python' or file == '' then
    return notify.warn('Open a Python file to record it, or name a command: :RetrostepRecord pytest tests/')
  end
  if vim.bo.modified then
    vim.cmd.write()
  end
  if debugger.dap() then
    debugger.record(file)
  else
    M.run({ file })
  end
end

--- Records the command of a recording again.
---@param id string
function M.record_again(id)
  local entries, problem = program.list(program.root())
  for _, entry in ipairs(entries or {}) do
    if entry.id == id then
      return M.run(entry.command, entry.working_directory)
    end
  end
  notify.error(problem or ('There is no recording %s any more.'):format(id))
end

--- Deletes a recording, if the user says so.
---@param recording retrostep.Recording
---@param callback fun()
function M.delete(recording, callback)
  local question = ('Delete "%s" (%s)?'):format(recording.label, recording.description)
  vim.ui.select({ 'Delete', 'Cancel' }, { prompt = question }, function(answer)
    local path = program.path()
    if answer ~= 'Delete' or not path then
      return
    end
    local options = { cwd = program.root(), text = true }
    vim.system({ path, 'delete', '--yes', recording.path }, options, function(outcome)
      vim.schedule(function()
        if outcome.code ~= 0 then
          notify.error(outcome.stderr)
        end
        callback()
      end)
    end)
  end)
end

return M
