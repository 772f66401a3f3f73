--- Shows a moment's line in a window without going there, and puts everything back.
local icons = require('retrostep.icons')
local server = require('retrostep.server')

local M = {}

--- How long the cursor rests on a row before its moment is shown.
local DELAY_MS = 50

local space = vim.api.nvim_create_namespace('retrostep.preview')

---@class retrostep.Preview
---@field window integer
---@field buffer integer what the window showed
---@field view table
---@field is_over boolean
---@field asked integer how many moments were asked for: answers to earlier ones are dropped
---@field marked? integer the buffer with the arrow
local Preview = {}
Preview.__index = Preview

--- Begins in the current window.
---@return retrostep.Preview
function M.begin()
  local window = vim.api.nvim_get_current_win()
  return setmetatable({
    window = window,
    buffer = vim.api.nvim_win_get_buf(window),
    view = vim.fn.winsaveview(),
    is_over = false,
    asked = 0,
  }, Preview)
end

function Preview:unmark()
  if self.marked and vim.api.nvim_buf_is_valid(self.marked) then
    vim.api.nvim_buf_clear_namespace(self.marked, space, 0, -1)
  end
  self.marked = nil
end

---@param moment { uri?: string, line?: integer, range?: lsp.Range }
function Preview:place(moment)
  if self.is_over or not moment.uri or not vim.api.nvim_win_is_valid(self.window) then
    return
  end
  local buffer = vim.uri_to_bufnr(moment.uri)
  vim.fn.bufload(buffer)
  self:unmark()
  local line = moment.range and moment.range.start.line or moment.line or 0
  line = math.min(line, vim.api.nvim_buf_line_count(buffer) - 1)
  if vim.api.nvim_win_get_buf(self.window) ~= buffer then
    vim.api.nvim_win_set_buf(self.window, buffer)
  end
  vim.api.nvim_win_set_cursor(self.window, { line + 1, 0 })
  vim.api.nvim_buf_set_extmark(buffer, space, line, 0, {
    sign_text = icons.text('▸'),
    sign_hl_group = 'RetrostepPreview',
    priority = 30,
  })
  self.marked = buffer
end

--- Shows a moment, once it is known where it is.
---@param recording string
---@param position integer
function Preview:show(recording, position)
  self.asked = self.asked + 1
  local mine = self.asked
  vim.defer_fn(function()
    if self.is_over or mine ~= self.asked then
      return
    end
    local params = { recording = recording, position = position }
    server.request('retrostep/moment', params, function(moment)
      if mine == self.asked then
        self:place(moment)
      end
    end)
  end, DELAY_MS)
end

--- Ends it: the window shows what it showed.
function Preview:drop()
  if self.is_over then
    return
  end
  self.is_over = true
  self:unmark()
  if not vim.api.nvim_win_is_valid(self.window) or not vim.api.nvim_buf_is_valid(self.buffer) then
    return
  end
  if vim.api.nvim_win_get_buf(self.window) ~= self.buffer then
    vim.api.nvim_win_set_buf(self.window, self.buffer)
  end
  vim.api.nvim_win_call(self.window, function()
    vim.fn.winrestview(self.view)
  end)
end

return M
