-- What the scripts in this folder share: checks with a limit on every wait, and what a user would see.
local M = {}

local LIMIT = 15000

--- How many checks passed.
M.count = 0
--- Every message that was shown.
M.messages = {}

function M.fail(what)
  io.stderr:write(('failed after %d checks: %s\nmessages: %s\n'):format(M.count, what, vim.inspect(M.messages)))
  io.stderr:write(debug.traceback() .. '\n')
  os.exit(1)
end

function M.check(condition, what)
  if not condition then
    M.fail(what)
  end
  M.count = M.count + 1
end

function M.equal(found, expected, what)
  M.check(vim.deep_equal(found, expected), ('%s: %s instead of %s'):format(what, vim.inspect(found), vim.inspect(expected)))
end

function M.has(text, part, what)
  M.check(type(text) == 'string' and text:find(part, 1, true), ('%s: no %q in %s'):format(what, part, vim.inspect(text)))
end

--- Waits; `tell` says what was there instead.
function M.wait(what, condition, tell)
  if not vim.wait(LIMIT, condition, 5) then
    M.fail(('no %s within %d ms%s'):format(what, LIMIT, tell and ': ' .. vim.inspect(tell()) or ''))
  end
  M.count = M.count + 1
end

--- Messages are kept instead of shown, but for what nvim-dap says when a replay is closed while it still
--- asks about the exception.
vim.notify = function(text)
  if text ~= 'Error getting exception info: cancelled' then
    table.insert(M.messages, text)
  end
end

--- Every message since the last call.
function M.said()
  local all = M.messages
  M.messages = {}
  return all
end

function M.quiet(what)
  M.equal(M.said(), {}, 'messages of ' .. what)
end

--- Types keys, mappings included, until they are done.
function M.press(keys)
  vim.api.nvim_feedkeys(vim.keycode(keys), 'mx', false)
end

function M.lines(buffer)
  return vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, true)
end

--- The line of a comment `# mark: name`, or of a text, from 1.
function M.line_of(file, text)
  for number, line in ipairs(vim.fn.readfile(file)) do
    if line:find(text, 1, true) then
      return number
    end
  end
  M.fail(('no %q in %s'):format(text, file))
end

local function label(hint)
  if type(hint.label) == 'string' then
    return hint.label
  end
  return table.concat(vim.tbl_map(function(part)
    return part.value
  end, hint.label))
end

--- The hint that the editor holds for a line.
function M.hint(buffer, line)
  for _, it in ipairs(vim.lsp.inlay_hint.get({ bufnr = buffer })) do
    if it.inlay_hint.position.line == line - 1 then
      return label(it.inlay_hint)
    end
  end
end

function M.wait_for_hint(buffer, line, beginning)
  M.wait(('hint %q in line %d'):format(beginning or 'none', line), function()
    vim.cmd.redraw()
    local text = M.hint(buffer, line)
    if not beginning then
      return text == nil
    end
    return text ~= nil and vim.startswith(text, beginning)
  end, function()
    return M.hint(buffer, line)
  end)
end

function M.float()
  for _, window in ipairs(vim.api.nvim_list_wins()) do
    if vim.api.nvim_win_get_config(window).relative ~= '' then
      return window
    end
  end
end

--- Chooses what `choose` finds among the items of the next list.
function M.select(choose)
  vim.ui.select = function(items, options, callback)
    local format = options.format_item or tostring
    for index, item in ipairs(items) do
      if choose(format(item)) then
        return callback(item, index)
      end
    end
    M.fail('nothing to choose in ' .. vim.inspect(vim.tbl_map(format, items)))
  end
end

return M
