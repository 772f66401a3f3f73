--- The changes of a value, in a window at the cursor.
local debugger = require('retrostep.debugger')
local float = require('retrostep.float')
local icons = require('retrostep.icons')
local notify = require('retrostep.notify')
local preview = require('retrostep.preview')
local server = require('retrostep.server')

local M = {}

local WIDTH, HEIGHT = 64, 12
--- The widest that what happened is shown while the place has to fit beside it.
local MOST_TEXT = 36

local space = vim.api.nvim_create_namespace('retrostep.history')

---@class retrostep.Found
---@field name string
---@field writes retrostep.Write[] the newest first
---@field total integer
---@field recording? string its file

--- What is selected, else the name under the cursor.
---@return string?
function M.expression_at_cursor()
  local mode = vim.fn.mode()
  if mode == 'v' or mode == 'V' then
    local from, to = vim.fn.getpos('v'), vim.fn.getpos('.')
    local lines = vim.fn.getregion(from, to, { type = mode })
    vim.api.nvim_feedkeys(vim.keycode('<Esc>'), 'nx', false)
    return vim.trim(table.concat(lines, ' '))
  end
  local word = vim.fn.expand('<cexpr>')
  return word ~= '' and word or nil
end

--- Asks the language server, for a place in a file.
---@param expression? string
---@param uri? string the current file and place if absent
---@param line? integer from 0
---@param callback fun(found: retrostep.Found)
function M.of_server(expression, uri, line, callback)
  local params
  if uri and line then
    params = { textDocument = { uri = uri }, position = { line = line, character = 0 } }
  else
    local client = server.client()
    params = vim.lsp.util.make_position_params(0, client and client.offset_encoding or 'utf-16')
  end
  params.expression = expression
  server.request('retrostep/history', params, function(found)
    -- Lines of the language server count from 0, those of a debugger from 1.
    for _, write in ipairs(found.writes) do
      write.line = write.line and write.line + 1
    end
    callback(found)
  end)
end

--- A text of that many columns, cut or filled up.
---@param text string
---@param columns integer
---@return string
local function fitted(text, columns)
  local width = vim.fn.strdisplaywidth(text)
  if width <= columns then
    return text .. (' '):rep(columns - width)
  end
  local ellipsis = icons.text('…')
  local room = columns - vim.fn.strdisplaywidth(ellipsis)
  while vim.fn.strdisplaywidth(text) > room do
    text = vim.fn.strcharpart(text, 0, vim.fn.strchars(text) - 1)
  end
  return text .. ellipsis .. (' '):rep(room - vim.fn.strdisplaywidth(text))
end

---@param write retrostep.Write
---@return string
local function place(write)
  if not write.line then
    return write['function']
  end
  return ('%s:%d'):format(write['function'], write.line)
end

---@param found retrostep.Found
---@param present? integer where the replay stands
---@return string[] lines
---@return integer row the one that made the value, from 1
---@return integer middle where the second column begins
local function rows(found, present)
  local texts, widest = {}, 0
  for index, write in ipairs(found.writes) do
    texts[index] = icons.text((write.text:gsub('%s*\n%s*', ' ')))
    widest = math.max(widest, vim.fn.strdisplaywidth(texts[index]))
  end
  widest = math.min(widest, MOST_TEXT)
  local row = 1
  for index, write in ipairs(found.writes) do
    if present and write.position < present then
      row = index
      break
    end
  end
  local lines = {}
  for index, write in ipairs(found.writes) do
    local sign = index == row and icons.text('▶') or ' '
    local text = fitted(texts[index], widest)
    lines[index] = ('%s %s  %s  %s'):format(sign, text, place(write), write.time)
  end
  return lines, row, widest + 4
end

--- Shows the line of the row with the cursor behind the window, until that closes.
---@param found retrostep.Found
---@param buffer integer
---@param row integer the one with the cursor at first
---@param shown retrostep.Preview
local function preview_rows(found, buffer, row, shown)
  vim.api.nvim_create_autocmd('CursorMoved', {
    buffer = buffer,
    callback = function()
      local now = vim.api.nvim_win_get_cursor(0)[1]
      if now ~= row then
        row = now
        shown:show(found.recording, found.writes[row].position)
      end
    end,
  })
  vim.api.nvim_create_autocmd('BufWipeout', {
    buffer = buffer,
    callback = vim.schedule_wrap(function()
      shown:drop()
    end),
  })
end

---@param found retrostep.Found
---@param go fun(position: integer)
---@param present? integer
local function open(found, go, present)
  if #found.writes == 0 then
    return notify.info(('%s was never written.'):format(found.name))
  end
  local lines, row = rows(found, present)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, true, lines)
  vim.bo[buffer].modifiable = false
  vim.bo[buffer].filetype = 'retrostep-history'
  for index, write in ipairs(found.writes) do
    local line = lines[index]
    local from = line:find(place(write), 1, true)
    if from then
      local last = from - 1 + #place(write)
      vim.api.nvim_buf_set_extmark(buffer, space, index - 1, from - 1, { end_col = last, hl_group = 'RetrostepCall' })
      vim.api.nvim_buf_set_extmark(buffer, space, index - 1, last, { end_col = #line, hl_group = 'RetrostepDim' })
    end
  end
  local width = 0
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  local shown = #found.writes
  local title = ('History: %s'):format(found.name)
  if found.total > shown then
    title = ('%s (newest %d of %d)'):format(title, shown, found.total)
  end
  local footer = debugger.session() and '<CR> go  s stop on change  q close' or '<CR> go  q close'
  width = math.max(width, vim.fn.strdisplaywidth(title) + 2, #footer + 2)
  local behind = preview.begin()
  local window = float.open(buffer, {
    title = title,
    footer = footer,
    width = math.min(width, WIDTH),
    height = math.min(shown, HEIGHT),
  })
  vim.wo[window].cursorline = true
  vim.api.nvim_win_set_cursor(window, { row, 0 })
  preview_rows(found, buffer, row, behind)
  vim.keymap.set('n', '<CR>', function()
    local write = found.writes[vim.api.nvim_win_get_cursor(0)[1]]
    vim.api.nvim_win_close(0, true)
    behind:drop()
    go(write.position)
  end, { buffer = buffer, nowait = true, desc = 'Go there' })
  if debugger.session() then
    vim.keymap.set('n', 's', function()
      vim.api.nvim_win_close(0, true)
      debugger.stop_on_change(found.name)
    end, { buffer = buffer, nowait = true, desc = 'Stop when it changes' })
  end
end

--- Shows the changes of an expression: in the open replay, else in the newest recording.
---@param expression? string the one at the cursor if absent
---@param uri? string
---@param line? integer from 0
function M.show(expression, uri, line)
  expression = expression or M.expression_at_cursor()
  if not expression then
    return notify.warn('There is no name under the cursor.')
  end
  if debugger.session() then
    local position = debugger.position()
    return debugger.history(expression, 0, function(found)
      found.recording = position and position.recording
      open(found, debugger.seek, position and position.position)
    end)
  end
  M.of_server(expression, uri, line, function(found)
    open(found, function(position)
      require('retrostep.client_commands').go_to(found.recording, position)
    end)
  end)
end

return M
