--- Small windows over the text.
local M = {}

---@class retrostep.Float
---@field title string
---@field footer? string
---@field width integer
---@field height integer

--- Opens a window on `buffer`; `q` and `<Esc>` close it, and so does leaving it.
---@param buffer integer
---@param options retrostep.Float
---@return integer window
function M.open(buffer, options)
  local window = vim.api.nvim_open_win(buffer, true, {
    relative = 'cursor',
    row = 1,
    col = 0,
    width = options.width,
    height = options.height,
    style = 'minimal',
    border = 'rounded',
    title = ' ' .. options.title .. ' ',
    title_pos = 'left',
    footer = options.footer and ' ' .. options.footer .. ' ' or nil,
    footer_pos = options.footer and 'right' or nil,
  })
  vim.wo[window].winhighlight =
    'NormalFloat:RetrostepFloat,FloatBorder:RetrostepBorder,FloatTitle:RetrostepTitle,CursorLine:RetrostepPresent'
  vim.wo[window].wrap = false
  vim.bo[buffer].bufhidden = 'wipe'
  local function close()
    if vim.api.nvim_win_is_valid(window) then
      vim.api.nvim_win_close(window, true)
    end
  end
  for _, key in ipairs({ 'q', '<Esc>' }) do
    vim.keymap.set('n', key, close, { buffer = buffer, nowait = true, desc = 'Close' })
  end
  vim.api.nvim_create_autocmd('WinLeave', { buffer = buffer, once = true, callback = vim.schedule_wrap(close) })
  return window
end

--- Shows lines to read.
---@param lines string[]
---@param title string
---@param filetype? string
function M.read(lines, title, filetype)
  local buffer = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, true, lines)
  vim.bo[buffer].modifiable = false
  local width = vim.fn.strdisplaywidth(title) + 2
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  local window = M.open(buffer, {
    title = title,
    width = math.min(width, math.max(20, vim.o.columns - 4)),
    height = math.max(1, math.min(#lines, vim.o.lines - 4)),
  })
  if filetype then
    vim.bo[buffer].filetype = filetype
    vim.wo[window].conceallevel = 2
  end
end

return M
