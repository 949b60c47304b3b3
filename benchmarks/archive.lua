-- wrk: readers of the archive; one issue is looked at more often than the lists that lead to it.
local paths = { "/", "/vol-2-24/", "/archive/", "/vol-2-24/", "/feed.atom" }
local turn = 0

request = function()
  turn = turn % #paths + 1
  return wrk.format("GET", paths[turn], { ["Accept-Encoding"] = "gzip" })
end
