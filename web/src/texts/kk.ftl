# Қазақша.

## Қабық
close = Жабу
put-away = Алып тастау
to-the-content = Мазмұнға өту
to-the-beginning = Бірінші бетке
places = Бөлімдер
language = Тіл
theme = Безендіру
theme-system = Жүйелік
theme-light = Ашық
theme-dark = Күңгірт
toasts = Жаңа ғана не болды
sign-in = Кіру
sign-in-name = Аты
sign-in-password = Құпиясөз
sign-out = Шығу
signed-in-as = { $name }, { $role }
connection-lost = Байланыс үзілді. Қайта қосылып жатыр…
page-not-loaded = Бет жүктелмеді. Сервер жауап бергенде қайта ашыңыз.
page-not-yours = Бұл бет сіздің рөліңізге арналмаған
page-nowhere = Бұл мекенжайда ештеңе жоқ
page-desk = Жұмыс орны
page-board = Қазір орталықта

## Рөлдер
role-operator = оператор
role-quality = сапа бақылауы
role-supervisor = супервизор
role-administrator = әкімші
role-organisation = ұйым
role-city = қала басшылығы

## Бас тартулар
failure-away = Сервер жауап бермейді. Сәлден соң қайталап көріңіз.
failure-other = Сервер қатемен жауап берді ({ $status }). Қайталап көріңіз.
refusal-wrong_password = Аты немесе құпиясөзі қате.
refusal-locked = Талпыныс тым көп. Біраз күтіп, қайталаңыз.
refusal-database_away = Дерекқор жауап бермейді. Қоңыраулар жалғасуда; сәлден соң қайталап көріңіз.

## Ұзақтықтар
span-days = { $n } күн
span-hours = { $n } сағ
span-minutes = { $n } мин

## Қазір орталықта
queue = Кезек
queues = Кезектер
queues-none = Кезек жоқ.
waiting = Күтуде
longest = Ең ұзақ күту
operator = Оператор
operators = Операторлар
operators-none = Әзірге ешкім кірген жоқ.
state = Күйі
since = Ұзақтығы
agent-offline = Ауысымда емес
agent-ready = Дайын
agent-offered = Шырылдауда
agent-talking = Сөйлесуде
agent-wrap-up = Рәсімдеуде
agent-paused = Үзіліс
agent-not-responding = Жауап бермейді
agent-internal = Ішкі қоңырау
