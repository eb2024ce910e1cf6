-- refuse(kind, what): note what is not as the caller believed. Each check_… returns the function that writes
-- what it checked.
local refused = {}

local function refuse(kind, what)
  refused[#refused + 1] = kind
  refused[#refused + 1] = tostring(what)
end

-- is_error(reply): whether a redis.pcall was answered with an error.
local function is_error(reply) return type(reply) == 'table' and reply.err ~= nil end

-- fits(stored, amount): their sum, if the stored value is a whole number and the sum is below 2^53.
local function fits(stored, amount)
  local value = amount
  if stored then
    value = tonumber(stored)
    if not value or value % 1 ~= 0 then return nil end
    value = value + amount
  end
  if value > -9007199254740992 and value < 9007199254740992 then return value end
end

-- expire(key, expires_ms): let a key go at an instant; 0 is never.
local function expire(key, expires_ms)
  if expires_ms ~= 0 then redis.call('PEXPIREAT', key, expires_ms) end
end

-- nothing(): what a check that refused would have written.
local function nothing() end
