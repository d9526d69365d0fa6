# English. Every id stands in all four files; tests/texts.test.ts holds that. Operators are "operators", in the code agents.

## The shell
close = Close
put-away = Put away
to-the-content = To the content
to-the-beginning = To the first page
places = Places
language = Language
theme = Colours
theme-system = System
theme-light = Light
theme-dark = Dark
toasts = What happened just now
sign-in = Sign in
sign-in-name = Name
sign-in-password = Password
sign-out = Sign out
signed-in-as = { $name }, { $role }
connection-lost = The connection is lost. Trying again…
page-not-loaded = The page could not be loaded. Load it again when the server answers.
page-not-yours = This page is not for your role
page-nowhere = There is nothing at this address
page-desk = Desk
page-board = Live board

## Roles
role-operator = operator
role-quality = quality control
role-supervisor = supervisor
role-administrator = administrator
role-organisation = organisation
role-city = city hall

## Failures
failure-away = The server does not answer. Try again in a moment.
failure-other = The server answered with an error ({ $status }). Try again.
refusal-wrong_password = Name or password is wrong.
refusal-locked = Too many attempts. Wait a little, then try again.
refusal-database_away = The database does not answer. Calls go on; try again in a moment.

## Durations
span-days = { $n } d
span-hours = { $n } h
span-minutes = { $n } min

## The live board
queue = Queue
queues = Queues
queues-none = There are no queues.
waiting = Waiting
longest = Longest wait
operator = Operator
operators = Operators
operators-none = Nobody has signed in yet.
state = State
since = Since
agent-offline = Off shift
agent-ready = Ready
agent-offered = Ringing
agent-talking = Talking
agent-wrap-up = Wrap-up
agent-paused = Break
agent-not-responding = Not responding
agent-internal = Internal call
