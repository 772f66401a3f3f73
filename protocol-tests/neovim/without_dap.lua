-- What the plugin does without nvim-dap: everything but moving, and that it says.
--
-- Run with `nvim --clean --headless -l`; arguments: the retrostep program, the plugin's folder, and a
-- workspace with the sample shop.
local retrostep, plugin, workspace = unpack(arg)
local here = vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2))
package.path = here .. '/?.lua;' .. package.path
local it = require('checks')
local check, equal, has, wait = it.check, it.equal, it.has, it.wait

vim.opt.runtimepath:prepend(plugin)
vim.cmd.runtime('plugin/retrostep.lua')
vim.cmd.filetype('on')
check(not pcall(require, 'dap'), 'there is no nvim-dap')

local pricing = workspace .. '/shop/pricing.py'
local raised = it.line_of(pricing, '# mark: raise')

-- Without the program.
local retro = require('retrostep')
retro.setup({ program = workspace .. '/absent' })
vim.cmd.edit(vim.fn.fnameescape(workspace .. '/shop/replay_orders.py'))
it.quiet('a file without the program')
vim.cmd.RetrostepRecord()
has(it.said()[1], "Retrostep's program was not found", 'recording without the program')
local function health()
  vim.cmd.checkhealth('retrostep')
  local report = table.concat(it.lines(), '\n')
  vim.cmd.bwipeout()
  return report
end
local report = health()
has(report, "ERROR Retrostep's program was not found", 'health without the program')
has(report, 'cargo install', 'its remedy')
has(report, 'WARNING nvim-dap is not installed', 'health without nvim-dap')

-- Recording goes on in a terminal.
retro.setup({ program = retrostep })
it.quiet('setup')
vim.cmd.edit(vim.fn.fnameescape(workspace .. '/shop/replay_orders.py'))
vim.cmd.RetrostepRecord()
wait('recording', function()
  return #it.messages > 0
end)
equal(it.said(), { 'Recorded replay_orders. Moving in it needs nvim-dap.' }, 'the end of the recording')

-- Moving says what is missing.
equal(retro.status(), '', 'status')
for _, command in ipairs({ 'Back', 'BackInto', 'BackOut', 'Reverse', 'Goto start', 'Previous' }) do
  vim.cmd('Retrostep' .. command)
  local said = it.said()
  equal(#said, 1, 'one message of ' .. command)
  has(said[1], 'nvim-dap', command)
end
vim.cmd.RetrostepReplay()
has(it.said()[1], 'nvim-dap', 'replaying')

-- Values, histories and the panel are there.
vim.cmd.edit(vim.fn.fnameescape(pricing))
local buffer = vim.api.nvim_get_current_buf()
vim.api.nvim_win_set_cursor(0, { raised - 2, 4 })
it.wait_for_hint(buffer, raised - 2, '= -18.7500 · last of 32')
vim.cmd.edit()
it.wait_for_hint(buffer, raised - 2, '= -18.7500 · last of 32')
equal(#vim.lsp.get_clients({ name = 'retrostep' }), 1, 'servers of one folder')
vim.cmd.RetrostepValues('line')
it.wait_for_hint(buffer, raised - 3, nil)
vim.cmd.RetrostepValues('on')
it.wait_for_hint(buffer, raised - 3, '= ')
vim.cmd.RetrostepHistory('off')
wait('history', it.float)
has(it.lines(vim.api.nvim_win_get_buf(it.float()))[1], 'total_due:' .. raised - 3, 'where it was written')
it.press('<CR>')
wait('the line of the change', function()
  return vim.api.nvim_win_get_cursor(0)[1] == raised - 3
end)
wait('what is missing', function()
  return #it.messages > 0
end)
has(it.said()[1], 'nvim-dap', 'going to a row')
vim.cmd.RetrostepPanel()
wait('panel', function()
  return (it.lines()[2] or ''):find('replay_orders', 1, true) ~= nil
end)
vim.api.nvim_win_set_cursor(0, { 3, 0 })
it.press('<CR>')
wait('the line of the exception', function()
  return vim.api.nvim_buf_get_name(0) == pricing and vim.api.nvim_win_get_cursor(0)[1] == raised
end)
it.said()
report = health()
check(not report:find('ERROR'), report)
has(report, 'can be read', 'health')

-- What is selected has a history, too; what was never written has none.
vim.cmd.edit(vim.fn.fnameescape(pricing))
vim.api.nvim_win_set_cursor(0, { raised - 2, 4 })
it.press('viw<Plug>(retrostep-history)')
wait('history of what is selected', it.float)
equal(vim.api.nvim_win_get_config(it.float()).title[1][1], ' History: due ', 'title')
equal(vim.fn.mode(), 'n', 'the mode')
it.press('q')

-- A recorded command is recorded again from the panel.
vim.cmd.RetrostepPanel()
vim.cmd.RetrostepPanel()
wait('panel', function()
  return (it.lines()[2] or ''):find('replay_orders', 1, true) ~= nil
end)
vim.api.nvim_win_set_cursor(0, { 2, 0 })
it.press('r')
wait('recording again', function()
  return #it.messages > 0
end)
has(it.said()[1], 'Recorded replay_orders.', 'recording again')
--- Waits until the panel has rows of that many recordings.
local function panel_has(count)
  wait(count .. ' recordings in the panel', function()
    local rows = vim.tbl_filter(function(line)
      return line:find('replay_orders', 1, true) ~= nil
    end, it.lines(vim.fn.bufnr('retrostep://panel')))
    return #rows == count
  end)
end
panel_has(2)

-- The health check names a recording that cannot be read.
local broken = workspace .. '/.retrostep/recordings/broken-20300101-000000.retro'
vim.fn.writefile({ 'nothing' }, broken)
report = health()
has(report, 'ERROR the last recording, broken-20300101-000000, cannot be read', 'health')
has(report, 'retrostep delete broken', 'its remedy')
vim.fn.delete(broken)
vim.fn.delete(vim.fn.glob(workspace .. '/.retrostep/recordings/*.retro', true, true)[1])

-- The panel follows what goes, and deletes after a question.
vim.cmd.RetrostepPanel()
vim.cmd.RetrostepPanel()
panel_has(1)
vim.api.nvim_win_set_cursor(0, { 2, 0 })
local function recordings()
  return vim.fn.glob(workspace .. '/.retrostep/recordings/*.retro', true, true)
end
equal(#recordings(), 1, 'recordings')
it.select(function(item)
  return item == 'Cancel'
end)
it.press('d')
equal(#recordings(), 1, 'recordings after Cancel')
it.select(function(item)
  return item == 'Delete'
end)
it.press('d')
wait('deletion', function()
  return #recordings() == 0 and (it.lines()[2] or ''):find('Record a run', 1, true) ~= nil
end, it.lines)
-- The server has named the one that cannot be read, if it saw it before it went.
for _, text in ipairs(it.said()) do
  has(text, 'broken-20300101-000000', 'a message of the panel')
end

io.stdout:write(('%d checks\n'):format(it.count))
os.exit(0)
