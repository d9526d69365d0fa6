# Русский.

## Оболочка
close = Закрыть
put-away = Убрать
to-the-content = К содержанию
to-the-beginning = На первую страницу
places = Разделы
language = Язык
theme = Оформление
theme-system = Системное
theme-light = Светлое
theme-dark = Тёмное
toasts = Что произошло только что
sign-in = Войти
sign-in-name = Имя
sign-in-password = Пароль
sign-out = Выйти
signed-in-as = { $name }, { $role }
connection-lost = Связь потеряна. Подключаемся снова…
page-not-loaded = Страницу не удалось загрузить. Обновите её, когда сервер ответит.
page-not-yours = Эта страница не для вашей роли
page-nowhere = По этому адресу ничего нет
page-desk = Рабочее место
page-board = Сейчас в центре

## Роли
role-operator = оператор
role-quality = контроль качества
role-supervisor = супервизор
role-administrator = администратор
role-organisation = организация
role-city = руководство города

## Отказы
failure-away = Сервер не отвечает. Попробуйте через минуту.
failure-other = Сервер ответил ошибкой ({ $status }). Попробуйте ещё раз.
refusal-wrong_password = Неверное имя или пароль.
refusal-locked = Слишком много попыток. Подождите немного и попробуйте снова.
refusal-database_away = База данных не отвечает. Звонки идут; попробуйте через минуту.

## Длительности
span-days = { $n } дн
span-hours = { $n } ч
span-minutes = { $n } мин

## Сейчас в центре
queue = Очередь
queues = Очереди
queues-none = Очередей нет.
waiting = Ждут
longest = Дольше всех
operator = Оператор
operators = Операторы
operators-none = Пока никто не вошёл.
state = Состояние
since = Длится
agent-offline = Не на смене
agent-ready = Готов
agent-offered = Звонит
agent-talking = Разговор
agent-wrap-up = Оформление
agent-paused = Перерыв
agent-not-responding = Не отвечает
agent-internal = Внутренний звонок
