# What failed or was skipped in the output of mocha's spec reporter: each test with its message to standard output, and a line
# for each to the file `list`. `stage` names the run.

function trimmed(text) { sub(/^ +/, "", text); sub(/ +$/, "", text); return text }
function note(text) { print substr(text, 1, 220) >> list }
function finish() {
  if (title == "") return
  note(stage ": " title (place == "" ? "" : " (" place ")") " " first)
  title = ""
}

/^ +[0-9]+ passing( |$)/ { ended = 1 }
!ended && /^ +- [^ ]/ { skipped[++skips] = trimmed($0); next }
/^ +[0-9]+ pending$/ && skips > 0 {
  for (i = 1; i <= skips; i++) note(stage ": skipped: " substr(skipped[i], 3))
  skips = 0
}
/^ +[0-9]+ failing$/ { failing = 1; next }
!ended && /^ +[0-9]+\) / { untold[++untolds] = trimmed($0) }
/^The tests (left behind|broke off):/ { finish(); failing = 0; about = $3 " " substr($4, 1, length($4) - 1); next }
about != "" && /^  / { print stage ": " about ": " trimmed($0); note(stage ": " about ": " trimmed($0)); next }
{ about = "" }
!failing { next }

/^  [0-9]+\) / {
  finish()
  title = trimmed($0)
  sub(/^[0-9]+\) /, "", title)
  print "\n" $0
  lines = 0
  first = ""
  isTitle = 1
  place = ""
  next
}
title == "" || /^ *$/ { next }
isTitle && /^       / { title = title " > " trimmed($0); print; next }
{ isTitle = 0 }
/^ +at / {
  # Where it is in the tests; the rest of the stack says little.
  if (place == "" && match($0, /test\/[^:)]+:[0-9]+/)) {
    print
    place = substr($0, RSTART, RLENGTH)
  }
  next
}
first == "" { first = trimmed($0) }
lines < 12 { print substr($0, 1, 400); lines++ }
END {
  finish()
  # Without a summary there are only the marks of what failed.
  if (!ended) for (i = 1; i <= untolds; i++) note(stage ": failed: " untold[i])
}
