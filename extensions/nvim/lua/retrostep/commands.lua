--- The commands, as `:RetrostepBack` and as `:Retrostep back`.
local M = {}

---@class retrostep.Command
---@field name string
---@field nargs? '*'|'?' what may follow; nothing by default
---@field run fun(arguments: string[], text: string)
---@field complete? fun(lead: string): string[]

---@param words string[]
---@return fun(lead: string): string[]
local function one_of(words)
  return function(lead)
    return vim.tbl_filter(function(word)
      return vim.startswith(word, lead)
    end, words)
  end
end

---@param lead string
---@return string[]
local function names(lead)
  local program = require('retrostep.program')
  local ids = vim.tbl_map(function(entry)
    return entry.id
  end, program.list(program.root()) or {})
  return one_of(ids)(lead)
end

---@param lead string
---@return string[]
local function files(lead)
  return vim.fn.getcompletion(lead, 'file')
end

---@param name string
---@return fun(arguments: string[], text: string)
local function plain(name)
  return function()
    require('retrostep')[name]()
  end
end

---@param name string
---@return fun(arguments: string[], text: string)
local function with_text(name)
  return function(_, text)
    require('retrostep')[name](text)
  end
end

---@param arguments string[]
local function values(arguments)
  local mode = arguments[1]
  if mode and not vim.tbl_contains({ 'on', 'off', 'line' }, mode) then
    return require('retrostep.notify').error(('Values can be on, off or line, not %s.'):format(mode))
  end
  require('retrostep').values(mode)
end

---@type table<string, retrostep.Command>
M.commands = {
  record = {
    name = 'Record',
    nargs = '*',
    complete = files,
    run = function(arguments)
      require('retrostep').record(arguments)
    end,
  },
  replay = { name = 'Replay', nargs = '?', complete = names, run = with_text('replay') },
  back = { name = 'Back', run = plain('back') },
  backinto = { name = 'BackInto', run = plain('back_into') },
  backout = { name = 'BackOut', run = plain('back_out') },
  reverse = { name = 'Reverse', run = plain('reverse') },
  ['goto'] = {
    name = 'Goto',
    nargs = '*',
    complete = one_of({ 'start', 'end', 'exception' }),
    run = with_text('go_to'),
  },
  previous = { name = 'Previous', run = plain('previous_moment') },
  history = { name = 'History', nargs = '*', run = with_text('history') },
  lastchange = { name = 'LastChange', nargs = '*', run = with_text('last_change') },
  panel = { name = 'Panel', run = plain('panel') },
  values = {
    name = 'Values',
    nargs = '?',
    complete = one_of({ 'on', 'off', 'line' }),
    run = values,
  },
  log = { name = 'Log', run = plain('log') },
}

---@param event vim.api.keyset.create_user_command.command_args
local function dispatch(event)
  local word, rest = event.args:match('^(%S+)%s*(.*)$')
  local command = M.commands[(word or ''):lower()]
  if not command then
    local known = table.concat(vim.fn.sort(vim.tbl_keys(M.commands)), ', ')
    return require('retrostep.notify').error(('There is no :Retrostep %s; there are %s.'):format(word or '', known))
  end
  command.run(vim.list_slice(event.fargs, 2), rest)
end

---@param lead string
---@param line string
---@return string[]
local function complete(lead, line)
  local word = line:match('Retrostep%s+(%S+)%s')
  if not word then
    return one_of(vim.fn.sort(vim.tbl_keys(M.commands)))(lead)
  end
  local command = M.commands[word:lower()]
  return command and command.complete and command.complete(lead) or {}
end

function M.create()
  for _, command in pairs(M.commands) do
    vim.api.nvim_create_user_command('Retrostep' .. command.name, function(event)
      command.run(event.fargs, event.args)
    end, { nargs = command.nargs or 0, complete = command.complete })
  end
  vim.api.nvim_create_user_command('Retrostep', dispatch, { nargs = '+', complete = complete })
end

return M
