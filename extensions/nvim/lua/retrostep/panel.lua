--- The panel: a split on the left with the recordings of the workspace.
local float = require('retrostep.float')
local icons = require('retrostep.icons')
local recordings = require('retrostep.recordings')
local server = require('retrostep.server')

local M = {}

local WIDTH = 42
--- How long a refresh waits for the next one.
local REFRESH_DELAY_MS = 100
local NAME = 'retrostep://panel'

local space = vim.api.nvim_create_namespace('retrostep.panel')

---@class retrostep.Row
---@field text string
---@field right? string stands at the window's right edge
---@field group? string
---@field icon? { from: integer, to: integer, group: string } in bytes
---@field key? string what `o` opens and closes
---@field recording? retrostep.Recording
---@field exception? retrostep.Exception
---@field is_open? boolean
---@field is_section? boolean

---@type retrostep.Row[]
local shown = {}
--- What is not as it is at first: sections and failed recordings are open, others are closed.
---@type table<string, boolean>
local open = {}

---@return integer? buffer
local function buffer()
  local found = vim.fn.bufnr('^' .. NAME .. '$')
  return found > 0 and vim.api.nvim_buf_is_loaded(found) and found or nil
end

---@return integer? window in this tab page
local function window()
  local present = buffer()
  for _, candidate in ipairs(vim.api.nvim_tabpage_list_wins(0)) do
    if present and vim.api.nvim_win_get_buf(candidate) == present then
      return candidate
    end
  end
  return nil
end

---@param key string
---@param default boolean
local function is_open(key, default)
  if open[key] == nil then
    return default
  end
  return open[key]
end

---@param list retrostep.Recording[]
---@return retrostep.Row[]
local function rows(list)
  local all_open = is_open('recordings', true)
  local result = {
    {
      text = (all_open and '▾' or '▸') .. ' Recordings',
      group = 'RetrostepTitle',
      key = 'recordings',
      is_open = all_open,
      is_section = true,
    },
  }
  if not all_open then
    return result
  end
  if #list == 0 then
    table.insert(result, { text = '  Record a run once, then step backward', group = 'RetrostepDim' })
    table.insert(result, { text = '  through it: :RetrostepRecord', group = 'RetrostepDim' })
  end
  for _, recording in ipairs(list) do
    local has_children = #recording.exceptions > 0
    local recording_open = has_children and is_open(recording.path, recording.open or recording == list[1])
    local arrow = not has_children and ' ' or recording_open and '▾' or '▸'
    local kind = icons.results[recording.result]
    local before = '  ' .. arrow .. ' '
    table.insert(result, {
      text = before .. kind.icon .. ' ' .. recording.label,
      right = recording.description,
      icon = { from = #icons.text(before), to = #icons.text(before .. kind.icon), group = kind.group },
      group = recording.open and 'RetrostepPresent' or nil,
      key = has_children and recording.path or nil,
      is_open = recording_open,
      recording = recording,
    })
    for _, exception in ipairs(recording_open and recording.exceptions or {}) do
      table.insert(result, {
        text = '      ✗ ' .. exception.label,
        icon = { from = 6, to = 6 + #icons.text('✗'), group = 'RetrostepException' },
        recording = recording,
        exception = exception,
      })
    end
  end
  return result
end

---@param row retrostep.Row
---@param columns integer
---@return string text
---@return string? right what fits beside it
local function laid_out(row, columns)
  local text = icons.text(row.text)
  local room = columns - vim.fn.strdisplaywidth(text) - 2
  local right = row.right and icons.text(row.right)
  if right and vim.fn.strdisplaywidth(right) > room then
    local ellipsis = icons.text('…')
    local fits = room - vim.fn.strdisplaywidth(ellipsis)
    right = fits > 3 and vim.fn.strcharpart(right, 0, fits) .. ellipsis or nil
  end
  return text, right
end

---@param target integer
---@param list retrostep.Row[]
local function draw(target, list)
  shown = list
  local columns = WIDTH
  local present = window()
  if present then
    columns = vim.api.nvim_win_get_width(present)
  end
  local lines, rights = {}, {}
  for index, row in ipairs(list) do
    local text, right = laid_out(row, columns)
    if right then
      local gap = columns - vim.fn.strdisplaywidth(text) - vim.fn.strdisplaywidth(right) - 1
      rights[index] = { from = #text + gap, to = #text + gap + #right }
      text = text .. (' '):rep(gap) .. right
    end
    lines[index] = text
  end
  vim.bo[target].modifiable = true
  vim.api.nvim_buf_set_lines(target, 0, -1, true, lines)
  vim.bo[target].modifiable = false
  vim.api.nvim_buf_clear_namespace(target, space, 0, -1)
  local function mark(index, from, to, group)
    vim.api.nvim_buf_set_extmark(target, space, index - 1, from, { end_col = to, hl_group = group })
  end
  for index, row in ipairs(list) do
    if row.group then
      mark(index, 0, #lines[index], row.group)
    end
    if row.icon then
      mark(index, row.icon.from, row.icon.to, row.icon.group)
    end
    local right = rights[index]
    if right then
      mark(index, right.from, right.to, 'RetrostepDim')
    end
  end
end

--- Asks again and draws; the cursor stays in its line.
function M.refresh()
  if not buffer() then
    return
  end
  recordings.all(function(list)
    local target = buffer()
    if target then
      draw(target, rows(list))
    end
  end)
end

---@return retrostep.Row
local function row_at_cursor()
  return shown[vim.api.nvim_win_get_cursor(0)[1]] or { text = '' }
end

local function toggle()
  local row = row_at_cursor()
  if row.key then
    open[row.key] = not row.is_open
    M.refresh()
  end
end

---@param candidate integer a window
local function shows_text(candidate)
  local is_float = vim.api.nvim_win_get_config(candidate).relative ~= ''
  return not is_float and vim.bo[vim.api.nvim_win_get_buf(candidate)].buftype == ''
end

--- Goes to the window that a file can be shown in: the one before, another one, or one beside the panel.
local function leave()
  local before = vim.fn.win_getid(vim.fn.winnr('#'))
  local candidates = vim.api.nvim_tabpage_list_wins(0)
  table.insert(candidates, 1, before)
  for _, candidate in ipairs(candidates) do
    if vim.api.nvim_win_is_valid(candidate) and shows_text(candidate) then
      return vim.api.nvim_set_current_win(candidate)
    end
  end
  vim.cmd('botright vertical new')
end

--- Opens what the row is about.
local function go()
  local row = row_at_cursor()
  if not row.recording then
    return toggle()
  end
  local position = row.exception and row.exception.position or nil
  leave()
  if position then
    require('retrostep.client_commands').go_to(row.recording.path, position)
  else
    recordings.replay(row.recording.path)
  end
end

local function replay()
  local row = row_at_cursor()
  if row.recording then
    leave()
    recordings.replay(row.recording.path)
  end
end

local function details()
  local row = row_at_cursor()
  if row.exception then
    local exception = row.exception --[[@as retrostep.Exception]]
    float.read({ exception.label, exception.description }, 'Exception')
  elseif row.recording then
    local text = row.recording.tooltip
    text = text ~= '' and text or row.recording.description
    float.read(vim.split(icons.text(text), '\n', { trimempty = true }), row.recording.label, 'markdown')
  end
end

local function delete()
  local row = row_at_cursor()
  if row.recording then
    recordings.delete(row.recording, M.refresh)
  end
end

local function record_again()
  local row = row_at_cursor()
  if row.recording then
    leave()
    recordings.record_again(row.recording.id)
  end
end

---@param step 1|-1
local function to_section(step)
  local line = vim.api.nvim_win_get_cursor(0)[1] + step
  while shown[line] do
    if shown[line].is_section then
      return vim.api.nvim_win_set_cursor(0, { line, 0 })
    end
    line = line + step
  end
end

local function close()
  local present = window()
  if present and #vim.api.nvim_list_wins() > 1 then
    vim.api.nvim_win_close(present, true)
  end
end

local help

---@type { [1]: string, [2]: fun(), [3]: string }[]
local KEYS = {
  { '<CR>', go, 'open or go there' },
  { 'o', toggle, 'open or close the row' },
  { 'R', replay, 'replay' },
  { 'r', record_again, 'record again' },
  { 'd', delete, 'delete' },
  { 'K', details, 'details' },
  {
    ']]',
    function()
      to_section(1)
    end,
    'next section',
  },
  {
    '[[',
    function()
      to_section(-1)
    end,
    'previous section',
  },
  {
    'g?',
    function()
      help()
    end,
    'this help',
  },
  { 'q', close, 'close' },
}

help = function()
  local lines = vim.tbl_map(function(key)
    return ('%-5s %s'):format(key[1], key[3])
  end, KEYS)
  float.read(lines, 'Keys')
end

---@return integer
local function create()
  local target = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_name(target, NAME)
  vim.bo[target].buftype = 'nofile'
  vim.bo[target].swapfile = false
  vim.bo[target].bufhidden = 'hide'
  vim.bo[target].modifiable = false
  vim.bo[target].filetype = 'retrostep'
  for _, key in ipairs(KEYS) do
    vim.keymap.set('n', key[1], key[2], { buffer = target, nowait = true, desc = key[3] })
  end
  return target
end

--- Opens the panel, or closes it.
function M.toggle()
  if window() then
    return close()
  end
  local target = buffer() or create()
  M.refresh()
  vim.cmd(('topleft vertical %dsplit'):format(WIDTH))
  local new = vim.api.nvim_get_current_win()
  vim.api.nvim_win_set_buf(new, target)
  local look = vim.wo[new][0]
  look.winfixwidth = true
  look.number, look.relativenumber = false, false
  look.signcolumn, look.foldcolumn = 'no', '0'
  look.wrap, look.list, look.spell = false, false, false
  look.cursorline = true
end

local waiting
--- Recordings come, grow and go, and a replay opens one: the panel follows, if it is seen.
server.on_refresh.panel = function()
  if waiting or not window() then
    return
  end
  waiting = vim.defer_fn(function()
    waiting = nil
    M.refresh()
  end, REFRESH_DELAY_MS)
end

return M
