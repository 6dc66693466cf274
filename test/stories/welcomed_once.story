# A client that tells the same thing twice is heard once, also across a restart.

apply   ../shops/welcome
smtp    listen mx.example
serve
post    /v1/identify {"messageId":"i1","userId":"ada","traits":{"email":"ada@x.example"}}            -> 200
post    /v1/track    {"messageId":"e1","userId":"ada","event":"Signed Up","timestamp":"{{now}}"}     -> 200
post    /v1/track    {"messageId":"e1","userId":"ada","event":"Signed Up","timestamp":"{{now}}"}     -> 200
expect  smtp count 1                                  # told twice, welcomed once
expect  event ada "Signed Up" count 1
kill
post    /v1/track    {"messageId":"e1","userId":"ada","event":"Signed Up","timestamp":"{{now}}"}     -> 200
restart
post    /v1/track    {"messageId":"e1","userId":"ada","event":"Signed Up","timestamp":"{{now}}"}     -> 200
expect  event ada "Signed Up" count 1
expect  smtp to ada@x.example count 1                 # nor after the power went
