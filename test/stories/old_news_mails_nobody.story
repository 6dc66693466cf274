# What happened long ago is known, counted and seen, and no reason to write to anybody now.

apply   ../shops/welcome
smtp    listen mx.example
serve
post    /v1/identify {"messageId":"i1","userId":"old","traits":{"email":"old@x.example"}}                  -> 200
post    /v1/track    {"messageId":"e1","userId":"old","event":"Signed Up","timestamp":"{{ago 2 days}}"}    -> 200
post    /v1/identify {"messageId":"i2","userId":"moved","traits":{"email":"moved@x.example"}}              -> 200
post    /v1/import   {"batch":[{"type":"track","messageId":"e2","userId":"moved","event":"Signed Up","timestamp":"{{now}}"}]} -> 200
post    /v1/identify {"messageId":"i3","userId":"new","traits":{"email":"new@x.example"}}                  -> 200
post    /v1/track    {"messageId":"e3","userId":"new","event":"Signed Up","timestamp":"{{ago 2 hours}}"}   -> 200
expect  event old "Signed Up" count 1
expect  event moved "Signed Up" count 1
expect  smtp to new@x.example count 1
expect  smtp count 1
