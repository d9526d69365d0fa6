# Українська.

## Оболонка
close = Закрити
put-away = Прибрати
to-the-content = До змісту
to-the-beginning = На першу сторінку
places = Розділи
language = Мова
theme = Оформлення
theme-system = Системне
theme-light = Світле
theme-dark = Темне
toasts = Що сталося щойно
sign-in = Увійти
sign-in-name = Ім’я
sign-in-password = Пароль
sign-out = Вийти
signed-in-as = { $name }, { $role }
connection-lost = Зв’язок втрачено. Під’єднуємося знову…
page-not-loaded = Сторінку не вдалося завантажити. Оновіть її, коли сервер відповість.
page-not-yours = Ця сторінка не для вашої ролі
page-nowhere = За цією адресою нічого немає
page-desk = Робоче місце
page-board = Зараз у центрі

## Ролі
role-operator = оператор
role-quality = контроль якості
role-supervisor = супервізор
role-administrator = адміністратор
role-organisation = організація
role-city = керівництво міста

## Відмови
failure-away = Сервер не відповідає. Спробуйте за хвилину.
failure-other = Сервер відповів помилкою ({ $status }). Спробуйте ще раз.
refusal-wrong_password = Неправильне ім’я або пароль.
refusal-locked = Забагато спроб. Зачекайте трохи і спробуйте знову.
refusal-database_away = База даних не відповідає. Дзвінки тривають; спробуйте за хвилину.

## Тривалості
span-days = { $n } дн
span-hours = { $n } год
span-minutes = { $n } хв

## Зараз у центрі
queue = Черга
queues = Черги
queues-none = Черг немає.
waiting = Чекають
longest = Найдовше
operator = Оператор
operators = Оператори
operators-none = Ще ніхто не увійшов.
state = Стан
since = Триває
agent-offline = Не на зміні
agent-ready = Готовий
agent-offered = Дзвонить
agent-talking = Розмова
agent-wrap-up = Оформлення
agent-paused = Перерва
agent-not-responding = Не відповідає
agent-internal = Внутрішній дзвінок
