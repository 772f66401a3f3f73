--- Moving in a replay, by way of nvim-dap: registers with it and sends what the adapter understands
--- beyond the protocol.
local notify = require('retrostep.notify')
local program = require('retrostep.program')

local M = {}

local KEY = 'retrostep'
local TYPE = 'retrostep'
--- How many moments can be gone back to.
local MOST_MOMENTS = 100
--- How many writes are asked for at once.
local PAGE = 100

---@class retrostep.Position the body of the event `retrostep/position`
---@field state 'recording'|'replaying'
---@field position integer
---@field end integer
---@field recording? string
---@field status string
---@field statusLine string
---@field tooltip string

---@class retrostep.Write
---@field position integer
---@field text string
---@field ['function'] string
---@field line? integer
---@field time string

---@class retrostep.State of one replay
---@field position? retrostep.Position
---@field moments integer[] where jumps began, the last one last
---@field watched table<string, { dataId: string, accessType: string }> where moves stop, by data id

--- By the session's id.
---@type table<integer, retrostep.State>
local states = {}

--- nvim-dap, if it is there.
---@return table?
function M.dap()
  local ok, dap = pcall(require, 'dap')
  return ok and dap or nil
end

---@return table? dap nothing, and a message, without nvim-dap
local function need_dap()
  local dap = M.dap()
  if not dap then
    notify.warn('Moving in a replay needs nvim-dap; see :checkhealth retrostep.')
  elseif dap.adapters[TYPE] == nil then
    -- It came to the runtimepath after setup().
    M.register()
  end
  return dap
end

---@param session table?
local function is_ours(session)
  return session ~= nil and session.config ~= nil and session.config.type == TYPE
end

--- The replay that is looked at.
---@return table?
function M.session()
  local dap = M.dap()
  if not dap then
    return nil
  end
  local focused = dap.session()
  if is_ours(focused) then
    return focused
  end
  for _, session in pairs(dap.sessions and dap.sessions() or {}) do
    if is_ours(session) then
      return session
    end
  end
  return nil
end

---@return table? session nothing, and a message, without a replay
local function need_session()
  if not need_dap() then
    return nil
  end
  local session = M.session()
  if not session then
    notify.warn('Nothing is being replayed. :RetrostepReplay opens a recording.')
  end
  return session
end

---@param session table
---@return retrostep.State
local function state_of(session)
  local state = states[session.id]
  if not state then
    state = { moments = {}, watched = {} }
    states[session.id] = state
  end
  return state
end

--- Where the replay stands.
---@return retrostep.Position?
function M.position()
  local session = M.session()
  local state = session and states[session.id]
  return state and state.position
end

---@param err table|string
---@return string
local function sentence(err)
  local body = type(err) == 'table' and err.body
  local said = body and type(body.error) == 'table' and body.error.format
  return said or (type(err) == 'table' and err.message) or tostring(err)
end

---@param session table
---@param command string
---@param arguments table?
---@param callback? fun(body: table)
local function request(session, command, arguments, callback)
  session:request(command, arguments, function(err, body)
    if err then
      notify.error(sentence(err))
    elseif callback then
      callback(body or {})
    end
  end)
end

---@param dap table
local function add_configurations(dap)
  local list = dap.configurations.python or {}
  dap.configurations.python = list
  for _, configuration in ipairs(list) do
    if configuration.type == TYPE then
      return
    end
  end
  table.insert(list, {
    type = TYPE,
    request = 'launch',
    name = 'Retrostep: record and replay this file',
    program = '${file}',
  })
  table.insert(list, {
    type = TYPE,
    request = 'attach',
    name = 'Retrostep: replay a recording',
    recording = function()
      return coroutine.create(function(waiting)
        require('retrostep.recordings').choose(function(recording)
          coroutine.resume(waiting, recording and recording.path or dap.ABORT)
        end)
      end)
    end,
  })
end

--- Registers with nvim-dap. What the user has registered stays.
---@return boolean registered whether nvim-dap is there
function M.register()
  local dap = M.dap()
  if not dap then
    return false
  end
  if dap.adapters[TYPE] == nil then
    dap.adapters[TYPE] = function(callback, configuration)
      local path = program.path()
      if not path then
        return notify.error(program.NOT_FOUND)
      end
      callback({
        type = 'executable',
        command = path,
        args = { 'dap' },
        options = { cwd = configuration.cwd or program.root() },
      })
    end
  end
  add_configurations(dap)
  dap.listeners.after['event_retrostep/position'][KEY] = function(session, body)
    if is_ours(session) then
      state_of(session).position = body
      vim.cmd.redrawstatus({ bang = true })
    end
  end
  -- A recorded program that exits is no end: the replay follows.
  for _, ending in ipairs({ 'event_terminated', 'disconnect' }) do
    dap.listeners.after[ending][KEY] = function(session)
      if is_ours(session) then
        states[session.id] = nil
        vim.cmd.redrawstatus({ bang = true })
      end
    end
  end
  return true
end

--- Steps backward over the line, or reverses, as nvim-dap does.
---@param move 'step_back'|'reverse_continue'
local function by_dap(move)
  local session = need_session()
  local dap = M.dap()
  if session and dap then
    if dap.session() ~= session then
      dap.set_session(session)
    end
    dap[move]()
  end
end

function M.back()
  by_dap('step_back')
end

function M.reverse()
  by_dap('reverse_continue')
end

---@param command string
local function step(command)
  local session = need_session()
  if not session then
    return
  end
  if not session.stopped_thread_id then
    return notify.warn('The replay does not stand still yet.')
  end
  request(session, command, { threadId = session.stopped_thread_id })
end

function M.back_into()
  step('retrostep/stepBackInto')
end

function M.back_out()
  step('retrostep/stepBackOut')
end

--- Notes where the replay stands, so that it can be gone back to.
local function remember(session)
  local state = state_of(session)
  local moments = state.moments
  local present = state.position and state.position.position
  if present and moments[#moments] ~= present then
    table.insert(moments, present)
    if #moments > MOST_MOMENTS then
      table.remove(moments, 1)
    end
  end
end

---@param session table
---@param position integer
local function seek(session, position)
  remember(session)
  request(session, 'retrostep/seek', { position = position })
end

--- Goes to a position of the open replay.
---@param position integer
function M.seek(position)
  local session = need_session()
  if session then
    seek(session, position)
  end
end

--- Goes to a moment in words: `184266`, `3.2s`, `exception`, `start`, `end`.
---@param moment string
function M.go_to(moment)
  local session = need_session()
  if session then
    remember(session)
    request(session, 'evaluate', { expression = 'seek ' .. moment, context = 'repl' })
  end
end

--- Goes back to where the last jump began.
function M.previous_moment()
  local session = need_session()
  if not session then
    return
  end
  local position = table.remove(state_of(session).moments)
  if not position then
    return notify.info('There is no previous moment.')
  end
  request(session, 'retrostep/seek', { position = position })
end

--- Stops moves, in both directions, where the value of an expression changes; asked again, no more.
---@param expression string
function M.stop_on_change(expression)
  local session = need_session()
  if not session then
    return
  end
  local frame = session.current_frame
  local asked = { name = expression, frameId = frame and frame.id }
  request(session, 'dataBreakpointInfo', asked, function(info)
    if type(info.dataId) ~= 'string' then
      return notify.warn(info.description)
    end
    local watched = state_of(session).watched
    local is_new = not watched[info.dataId]
    watched[info.dataId] = is_new and { dataId = info.dataId, accessType = 'write' } or nil
    request(session, 'setDataBreakpoints', { breakpoints = vim.tbl_values(watched) }, function()
      local sentence = is_new and 'Moves stop where %s changes.' or 'Moves no longer stop where %s changes.'
      notify.info(sentence:format(info.description))
    end)
  end)
end

--- The writes of what an expression names, the newest first.
---@param expression string
---@param start integer how many of the newest to leave out
---@param callback fun(body: { name: string, writes: retrostep.Write[], total: integer })
function M.history(expression, start, callback)
  local session = need_session()
  if not session then
    return
  end
  local frame = session.current_frame
  local arguments = {
    expression = expression,
    frameId = frame and frame.id,
    newest = true,
    start = start,
    count = PAGE,
  }
  request(session, 'retrostep/history', arguments, function(body)
    local newest = {}
    for index = #body.writes, 1, -1 do
      table.insert(newest, body.writes[index])
    end
    callback({ name = body.name, writes = newest, total = body.total })
  end)
end

--- Goes to the last change before the present.
---@param expression string
function M.last_change(expression)
  local session = need_session()
  local state = session and state_of(session)
  if not session or not state or not state.position then
    return
  end
  local present = state.position.position
  local function look(start)
    M.history(expression, start, function(body)
      for _, write in ipairs(body.writes) do
        if write.position < present then
          return seek(session, write.position)
        end
      end
      local seen = start + #body.writes
      if #body.writes > 0 and seen < body.total then
        return look(seen)
      end
      notify.info(('%s did not change before.'):format(expression))
    end)
  end
  look(0)
end

---@param path string
---@return string
local function stem(path)
  return vim.fn.fnamemodify(path, ':t:r')
end

--- Opens a recording, at the exception unless a position is given; goes there if it is open.
---@param recording string its file, or its name in the library of `root`
---@param position? integer|string
---@param root? string
function M.open(recording, position, root)
  local dap = need_dap()
  if not dap then
    return
  end
  local present = M.position()
  if present and present.recording == recording then
    if type(position) == 'number' then
      return M.seek(position)
    end
    return M.go_to(position or 'exception')
  end
  dap.run({
    type = TYPE,
    request = 'attach',
    name = 'Replay ' .. stem(recording),
    recording = recording,
    position = position,
    cwd = root or program.root(),
  }, { new = true })
end

--- Records a Python file and replays it.
---@param file string
function M.record(file)
  local dap = need_dap()
  if dap then
    local name = 'Record and replay ' .. stem(file)
    dap.run({ type = TYPE, request = 'launch', name = name, program = file }, { new = true })
  end
end

return M
