-- A walk through a recording with the plugin, as its users take it: run with `nvim --clean --headless -l`.
--
-- Arguments: the retrostep program, the plugin's folder, the folder of the `dap` module, and a workspace
-- with the sample shop.
local retrostep, plugin, dap_folder, workspace = unpack(arg)
local here = vim.fs.dirname(debug.getinfo(1, 'S').source:sub(2))
package.path = here .. '/?.lua;' .. package.path
local it = require('checks')
local check, equal, has, wait = it.check, it.equal, it.has, it.wait

vim.opt.runtimepath:prepend({ plugin, dap_folder })
vim.cmd.runtime('plugin/retrostep.lua')
vim.cmd.filetype('on')

local pricing = workspace .. '/shop/pricing.py'
local script = workspace .. '/shop/replay_orders.py'
local raised = it.line_of(pricing, '# mark: raise')
local appended = it.line_of(pricing, '# mark: append')
local discounted = it.line_of(pricing, 'return subtotal * rate')

-- What the user has stays.
local dap = require('dap')
local theirs = { type = 'python', request = 'launch', name = 'Theirs', program = '${file}' }
dap.configurations.python = { theirs }
local their_command = function() end
vim.lsp.commands['retrostep.compare'] = their_command
vim.g.mapleader = ' '
vim.keymap.set('n', '<leader>rb', 'ix<Esc>')
dap.adapters.retrostep = { type = 'executable', command = 'theirs' }
require('retrostep.debugger').register()
equal(dap.adapters.retrostep.command, 'theirs', "the user's adapter")
dap.adapters.retrostep = nil

local retro = require('retrostep')
retro.setup({ program = retrostep })
equal(vim.fn.maparg('<leader>rB', 'n'), '', 'no mapping unless asked')
retro.setup({ program = retrostep, keys = true })
it.quiet('setup')
equal(vim.fn.maparg('<leader>rb', 'n'), 'ix<Esc>', "the user's mapping")
equal(vim.fn.maparg('<leader>rB', 'n'), '<Plug>(retrostep-step-back-into)', 'a mapping')
check(vim.fn.maparg('<leader>rh', 'x') ~= '', 'the history of what is selected')
equal(vim.lsp.commands['retrostep.compare'], their_command, "the user's client command")
check(type(dap.adapters.retrostep) == 'function', 'the adapter is registered')
equal(#dap.configurations.python, 3, 'configurations')
equal(dap.configurations.python[1], theirs, "the user's configuration")
for _, name in ipairs({ 'goTo', 'replayHere', 'history', 'calls', 'selectRecording', 'lastChange', 'hideValues' }) do
  check(vim.lsp.commands['retrostep.' .. name], 'client command ' .. name)
end
retro.setup({ program = retrostep, valeus = true, icons = 'emoji' })
local wrong = it.said()
has(wrong[1], 'icons is "emoji", it can be unicode, ascii', 'a wrong value')
has(wrong[2], 'there is no option valeus', 'a wrong option')
retro.setup({ program = retrostep })

-- Commands, and what completes them.
for _, name in ipairs({
  'Record', 'Replay', 'Back', 'BackInto', 'BackOut', 'Reverse', 'Goto', 'History', 'LastChange', 'Panel',
  'Values', 'Log', 'Previous', '',
}) do
  equal(vim.fn.exists(':Retrostep' .. name), 2, 'command Retrostep' .. name)
end
local function completed(line)
  return vim.fn.getcompletion(line, 'cmdline')
end
equal(completed('Retrostep back'), { 'back', 'backinto', 'backout' }, 'subcommands')
equal(completed('Retrostep values l'), { 'line' }, 'the word of a subcommand')
equal(completed('RetrostepValues o'), { 'on', 'off' }, 'the word of a command')
equal(completed('RetrostepGoto e'), { 'end', 'exception' }, 'moments')
for group in pairs(require('retrostep.highlights').links) do
  check(vim.api.nvim_get_hl(0, { name = group }).default, 'default link ' .. group)
end

-- Without a replay.
equal(retro.status(), '', 'status without a replay')
vim.cmd.RetrostepBack()
has(it.said()[1], 'Nothing is being replayed', 'a step without a replay')
vim.cmd('Retrostep wherever')
has(it.said()[1], 'There is no :Retrostep wherever', 'an unknown subcommand')

-- Record and replay the file: it stops at the exception.
vim.cmd.edit(vim.fn.fnameescape(script))
equal(vim.bo.filetype, 'python', 'filetype')
wait('attached server', function()
  local client = vim.lsp.get_clients({ name = 'retrostep', bufnr = 0 })[1]
  return client and client.initialized
end)
local debugger = require('retrostep.debugger')
--- Waits until the replay stands in a line of `pricing.py`, as the adapter tells and as nvim-dap shows.
local function stands(what, line)
  local function frame()
    local session = dap.session()
    return session and session.current_frame
  end
  wait(what, function()
    local position, top = debugger.position(), frame()
    return position and position.line == line and top and top.line == line and top.source.path == pricing
  end, function()
    local top = frame()
    return { debugger.position() or 'no position', top and { top.name, top.line } or 'no frame' }
  end)
  check(not dap.session().mistake, what .. ': ' .. tostring(dap.session().mistake))
end
vim.cmd.RetrostepRecord()
stands('stop at the exception', raised)
local failure = debugger.position().position
local recording = debugger.position().recording
has(retro.status(), '◀ ', 'status')
has(retro.status(), '✗ ValueError', 'status')
require('retrostep.config').options.icons = 'ascii'
has(retro.status(), '< ', 'status in ASCII')
has(retro.status(), 'x ValueError', 'status in ASCII')
require('retrostep.config').options.icons = 'unicode'
equal(vim.api.nvim_buf_get_name(0), pricing, 'the file at the exception')
equal(vim.api.nvim_win_get_cursor(0)[1], raised, "the cursor's line at the exception")

-- Values follow the replay.
local buffer = vim.api.nvim_get_current_buf()
it.wait_for_hint(buffer, raised - 2, '= -18.75')

vim.api.nvim_win_set_cursor(0, { raised - 2, 4 })
vim.lsp.buf.hover()
wait('hover', it.float)
local hover = table.concat(it.lines(vim.api.nvim_win_get_buf(it.float())), '\n')
has(hover, '`due`', 'hover')
has(hover, '-18.75', 'hover')
check(not hover:find('command:') and not hover:find('%$%('), 'what only other editors can show: ' .. hover)
vim.api.nvim_win_close(it.float(), true)

-- Backward.
vim.cmd.RetrostepBack()
wait('step back to before the line', function()
  return debugger.position().position < failure
end)
stands('step back', raised)
vim.cmd('Retrostep back')
stands('step back by a subcommand', raised - 1)
it.press('<Plug>(retrostep-step-back)')
stands('step back by a mapping', raised - 2)
vim.cmd.RetrostepBackInto()
stands('step back into the call', discounted)
equal(dap.session().current_frame.name:match('%w+'), 'discount', 'the function stepped into')
vim.cmd.RetrostepBackOut()
stands('step back out of the call', raised - 3)
vim.api.nvim_win_set_cursor(0, { appended, 0 })
dap.toggle_breakpoint()
vim.cmd.RetrostepReverse()
stands('reverse to the breakpoint', appended)
local last_hit = debugger.position().position
vim.cmd('Retrostep reverse')
wait('reverse to the breakpoint again', function()
  return debugger.position().position < last_hit
end)
stands('reverse to the breakpoint again', appended)
it.quiet('the walk')

-- The history jumps, and can be gone back from.
vim.cmd.RetrostepGoto('exception')
stands('go to the exception', raised)
equal(debugger.position().position, failure, 'the exception')
vim.cmd.RetrostepHistory('codes')
wait('history', it.float)
local window = it.float()
local config = vim.api.nvim_win_get_config(window)
check(config.width <= 64 and config.height <= 12, 'size of the history: ' .. vim.inspect(config))
equal(config.title[1][1], ' History: codes ', 'title')
equal(vim.api.nvim_get_current_win(), window, 'the window with the cursor')
local rows = it.lines(vim.api.nvim_win_get_buf(window))
has(rows[1], '▶ ', 'the present row')
has(rows[1], "5 → 6 items", 'the newest row')
has(rows[1], 'add_loyalty:' .. appended, 'where it was written')
has(table.concat(rows, '\n'), '4 → 5 items', 'the change before')
check(#rows >= 6, 'rows of the history: ' .. vim.inspect(rows))
vim.fn.search('4 → 5 items')
it.press('<CR>')
check(not it.float(), 'the history closes')
stands('go to a row of the history', appended)
check(debugger.position().position < failure, 'the moment of the row')
vim.cmd.RetrostepPrevious()
stands('go back to the previous moment', raised)
equal(debugger.position().position, failure, 'the previous moment')
-- A row previews its moment; closing puts everything back.
vim.cmd.RetrostepHistory('codes')
wait('history', it.float)
local text_window = vim.fn.win_getid(vim.fn.winnr('#'))
local function view()
  return { vim.api.nvim_win_get_buf(text_window), vim.api.nvim_win_call(text_window, vim.fn.winsaveview) }
end
local before = view()
vim.fn.search('4 → 5 items')
vim.api.nvim_exec_autocmds('CursorMoved', { buffer = 0 })
wait('preview of a row', function()
  return vim.api.nvim_win_get_cursor(text_window)[1] == appended
end)
equal(debugger.position().position, failure, 'a preview does not move')
check(it.float() == vim.api.nvim_get_current_win(), 'the window keeps the cursor')
it.press('<Esc>')
check(not it.float(), '<Esc> closes the history')
wait('what was shown before', function()
  return vim.deep_equal(view(), before)
end, view)
equal(vim.api.nvim_get_current_win(), text_window, 'the window with the cursor')
equal(debugger.position().position, failure, 'the position after a preview')
vim.cmd.RetrostepHistory('codes')
wait('history', it.float)
it.press('q')
check(not it.float(), 'q closes the history')
vim.cmd.RetrostepLastChange('codes')
stands('go to the last change', appended)
local last_change = debugger.position().position
check(last_change < failure, 'the last change')
-- The word under the cursor, from the line that appends.
vim.fn.search('codes', 'c', appended)
vim.cmd.RetrostepLastChange()
wait('the change before', function()
  return debugger.position().position < last_change
end)
it.quiet('the history')

-- Moments in words.
vim.cmd.RetrostepGoto('100')
wait('position 100', function()
  return debugger.position().position == 100
end)
vim.cmd('Retrostep goto end')
wait('the end', function()
  local position = debugger.position()
  return position.position == position['end']
end)
vim.cmd.RetrostepGoto('nowhere')
wait('a refusal', function()
  return #it.messages > 0
end)
equal(#it.said(), 1, 'one message for a wrong moment')

-- The panel.
local function panel()
  for _, candidate in ipairs(vim.api.nvim_list_wins()) do
    if vim.bo[vim.api.nvim_win_get_buf(candidate)].filetype == 'retrostep' then
      return candidate, vim.api.nvim_win_get_buf(candidate)
    end
  end
end
local function panel_shows(what, row, part)
  wait(what, function()
    local _, shown = panel()
    return shown and (it.lines(shown)[row] or ''):find(part, 1, true) ~= nil
  end, function()
    local _, shown = panel()
    return shown and it.lines(shown)
  end)
end
vim.cmd.RetrostepPanel()
panel_shows('the recording in the panel', 2, '▾ ✗ replay_orders')
local panel_window, panel_buffer = panel()
equal(vim.api.nvim_win_get_width(panel_window), 42, 'width of the panel')
equal(vim.api.nvim_win_get_position(panel_window), { 0, 0 }, 'place of the panel')
check(vim.wo[panel_window].winfixwidth, 'winfixwidth')
equal(vim.bo[panel_buffer].buftype, 'nofile', 'buftype')
check(not vim.bo[panel_buffer].modifiable, 'the panel is not edited')
local shown = it.lines(panel_buffer)
equal(shown[1], '▾ Recordings', 'section')
has(shown[2], 'ValueError, ', 'how the run ended')
has(shown[2], ', o', 'the open replay')
has(shown[3], '✗ ValueError: total below zero', 'the exception')
for _, line in ipairs(shown) do
  check(vim.fn.strdisplaywidth(line) <= 42 or line:find('below zero'), 'a row too wide: ' .. line)
end
equal(vim.api.nvim_get_current_win(), panel_window, 'the panel has the cursor')
vim.api.nvim_win_set_cursor(panel_window, { 2, 0 })
it.press('K')
wait('details', it.float)
has(table.concat(it.lines(vim.api.nvim_win_get_buf(it.float())), '\n'), 'replay_orders.py', 'details')
it.press('q')
it.press('g?')
wait('help', it.float)
has(table.concat(it.lines(vim.api.nvim_win_get_buf(it.float())), '\n'), 'replay', 'help')
it.press('q')
it.press('o')
wait('closed row', function()
  return #it.lines(panel_buffer) == 2
end)
it.press('o')
wait('open row', function()
  return #it.lines(panel_buffer) == 3
end)
vim.api.nvim_win_set_cursor(panel_window, { 3, 0 })
it.press('<CR>')
stands('go to an exception of the panel', raised)
check(vim.api.nvim_get_current_win() ~= panel_window, 'the file is not shown in the panel')
equal(vim.api.nvim_win_get_buf(panel_window), panel_buffer, 'the panel stays')
require('retrostep.config').options.icons = 'ascii'
require('retrostep.panel').refresh()
panel_shows('the panel in ASCII', 2, 'v x replay_orders')
for _, line in ipairs(it.lines(panel_buffer)) do
  check(not line:find('[\128-\255]'), 'not ASCII: ' .. line)
end
require('retrostep.config').options.icons = 'unicode'
vim.api.nvim_set_current_win(panel_window)
it.press('q')
check(not panel(), 'q closes the panel')
it.quiet('the panel')

-- Lenses lead to calls.
vim.cmd.edit(vim.fn.fnameescape(pricing))
local defined = it.line_of(pricing, 'def total_due')
wait('lens in the editor', function()
  return vim.iter(vim.lsp.codelens.get(buffer)):any(function(lens)
    return lens.range.start.line == defined - 1 and lens.command ~= nil
  end)
end, function()
  return vim.lsp.codelens.get(buffer)
end)
vim.api.nvim_win_set_cursor(0, { defined, 0 })
local choices = {}
it.select(function(item)
  table.insert(choices, item)
  return item:find('32 calls', 1, true) or vim.startswith(item, '#31')
end)
vim.lsp.codelens.run()
stands('go to a call', defined + 1)
local position = debugger.position()
check(position.position < failure, 'the moment of the call')
has(table.concat(choices, '\n'), '→', 'what calls returned')

-- Values off and on.
vim.cmd.RetrostepGoto('exception')
stands('go to the exception', raised)
it.wait_for_hint(buffer, raised - 2, '= -18.75')
vim.cmd.RetrostepValues('off')
it.wait_for_hint(buffer, raised - 2, nil)
vim.cmd.RetrostepValues()
it.wait_for_hint(buffer, raised - 2, '= -18.75')
it.quiet('lenses and values')

-- The replay ends; then values are those of the run, in the function with the cursor.
dap.disconnect()
wait('end of the replay', function()
  return retro.status() == ''
end)
vim.api.nvim_win_set_cursor(0, { raised, 0 })
vim.api.nvim_exec_autocmds('CursorMoved', { buffer = buffer })
it.wait_for_hint(buffer, raised - 2, '= -18.7500 · last of 32')
it.wait_for_hint(buffer, discounted, nil)
vim.api.nvim_win_set_cursor(0, { discounted, 0 })
vim.api.nvim_exec_autocmds('CursorMoved', { buffer = buffer })
it.wait_for_hint(buffer, discounted, 'returns ')

-- A history without a replay opens one at the row.
vim.api.nvim_win_set_cursor(0, { raised - 2, 4 })
vim.cmd.RetrostepHistory()
wait('history without a replay', it.float)
has(it.lines(vim.api.nvim_win_get_buf(it.float()))[1], '-18.75', 'the newest value')
it.press('<CR>')
stands('replay at a row of the history', raised - 2)
equal(debugger.position().recording, recording, 'the recording')
dap.disconnect()
wait('end of the replay', function()
  return retro.status() == ''
end)

-- Replays by name, from the list, and by nvim-dap's own configuration.
local id = vim.fn.fnamemodify(recording, ':t:r')
equal(completed('RetrostepReplay rep'), { id }, 'names of recordings')
vim.cmd.RetrostepReplay(id)
stands('replay by name', raised)
dap.disconnect()
wait('end of the replay', function()
  return retro.status() == ''
end)
it.select(function(item)
  return vim.startswith(item, '✗ replay_orders  ValueError, ')
end)
vim.cmd.RetrostepReplay()
stands('replay from the list', raised)
dap.disconnect()
wait('end of the replay', function()
  return retro.status() == ''
end)
dap.run(dap.configurations.python[3])
stands("replay by nvim-dap's configuration", raised)
dap.disconnect()
wait('end of the replay', function()
  return retro.status() == ''
end)
it.quiet('replays')

-- A step is shown at once, no hint is longer than a line has room for, and lenses stay where they are.
vim.cmd.RetrostepReplay(id)
stands('replay for many steps', raised)
local function lenses()
  local found = {}
  for _, lens in ipairs(vim.lsp.codelens.get(buffer)) do
    table.insert(found, { lens.range.start.line, lens.command and lens.command.title })
  end
  return found
end
wait('lenses', function()
  return #lenses() > 0
end)
local at_first = lenses()
local durations, too_long = {}, {}
for number = 1, 100 do
  local from = debugger.position().position
  local began = vim.uv.hrtime()
  vim.cmd.RetrostepBack()
  wait('step ' .. number, function()
    local session, position = dap.session(), debugger.position()
    local top = session.current_frame
    local is_shown = top and top.line == position.line and vim.api.nvim_win_get_cursor(0)[1] == top.line
    return position.position < from and is_shown
  end, debugger.position)
  table.insert(durations, (vim.uv.hrtime() - began) / 1e6)
  for _, hint in ipairs(vim.lsp.inlay_hint.get({ bufnr = buffer })) do
    local line = hint.inlay_hint.position.line + 1
    local text = it.hint(buffer, line)
    if vim.fn.strchars(text) > 40 then
      table.insert(too_long, text)
    end
  end
end
equal(lenses(), at_first, 'lenses after 100 steps')
equal(too_long, {}, 'hints of more than 40 characters')
table.sort(durations)
it.quiet('100 steps')

-- What is watched from a history stops moves where it changes.
vim.cmd.RetrostepGoto('exception')
stands('go to the exception', raised)
vim.cmd.RetrostepHistory('codes')
wait('history', it.float)
it.press('s')
check(not it.float(), 's closes the history')
wait('what is watched', function()
  return #it.messages > 0
end)
has(it.said()[1], 'codes', 'what is watched')
vim.api.nvim_win_set_cursor(0, { appended, 0 })
vim.cmd.RetrostepReverse()
wait('stop at a change', function()
  local position = debugger.position()
  return position.position < failure and position.reason ~= nil
end, debugger.position)
equal(debugger.position().reason, 'data breakpoint', 'why it stopped')
has(retro.status(), 'codes', 'status')
dap.disconnect()
wait('end of the replay', function()
  return retro.status() == ''
end)

-- A command line is recorded in a terminal, and then replayed.
vim.cmd.RetrostepRecord(script)
wait('another recording', function()
  local present = debugger.position()
  return present ~= nil and present.recording ~= recording
end)
stands('stop at the exception of the new recording', raised)
equal(#require('retrostep.program').list(workspace), 2, 'recordings')
dap.disconnect()
wait('end of the replay', function()
  return retro.status() == ''
end)
it.said()

-- Health and help.
vim.cmd.checkhealth('retrostep')
local report = table.concat(it.lines(), '\n')
check(not report:find('ERROR') and not report:find('WARNING'), report)
for _, part in ipairs({ 'retrostep 0', 'nvim-dap knows the adapter', 'shows values in', 'are kept in', 'can be read' }) do
  has(report, part, 'health')
end
local copy = workspace .. '/help'
vim.fn.mkdir(copy .. '/doc', 'p')
vim.uv.fs_copyfile(plugin .. '/doc/retrostep.txt', copy .. '/doc/retrostep.txt')
vim.cmd.helptags(copy .. '/doc')
vim.opt.runtimepath:append(copy)
local tags = table.concat(vim.fn.readfile(copy .. '/doc/tags'), '\n')
for _, command in pairs(require('retrostep.commands').commands) do
  has(tags, ':Retrostep' .. command.name .. '\t', 'help')
end
for _, key in ipairs(require('retrostep.keys').keys) do
  has(tags, ('<Plug>(retrostep-%s)\t'):format(key.plug), 'help')
end
local text = table.concat(vim.fn.readfile(plugin .. '/doc/retrostep.txt'), '\n')
for name in pairs(require('retrostep.config').defaults) do
  has(text, '`' .. name .. '`', 'help on options')
end
for group in pairs(require('retrostep.highlights').links) do
  has(text, group, 'help on highlight groups')
end
vim.cmd.help('retrostep')
vim.cmd.RetrostepLog()
check(vim.api.nvim_buf_get_name(0):find('log', 1, true), 'the log')

io.stdout:write(('a step takes %.0f ms, one in 20 more than %.0f ms\n'):format(durations[50], durations[95]))
io.stdout:write(('%d checks\n'):format(it.count))
os.exit(0)
