-- dead_letter(fields): a dead letter's source and size in bytes, from the fields of its entry.
local function dead_letter(fields)
  local found = {}
  for i = 1, #fields, 2 do found[fields[i]] = fields[i + 1] end
  return found.source or '', #(found.payload or '') + #(found.headers or '')
end
