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

## Общее для страниц
ask-again = Запросить снова
loading = Загружается…
save = Сохранить
cancel = Отмена
search = Найти
any = любое
choose = Выберите…
stays = { $value } (без изменений)
read-on = Показать ещё
the-centre = контакт-центр
your-organisation = ваша организация
topic = Тема
district = Район
district-none = без района
number = Номер телефона
number-withheld = номер скрыт
done = Готово
about = О чём
over = За период
last-days = последние { $n } дн.
language-kk = казахский
language-ru = русский
language-uk = украинский
language-en = английский
unit-kilobytes = { $n } КБ

## Обращения
case-number = Обращение
case-desk = У кого лежит
case-registered = Зарегистрировано
case-kind = Вид
case-channel = Поступило
case-priority = Срочность
case-reopened = Возвращено в работу, раз
case-control-calls = Контрольных звонков
address = Адрес
case-history = Что происходило
case-state-registered = Зарегистрировано
case-state-forwarded = Направлено
case-state-accepted = Принято
case-state-in_work = В работе
case-state-paused = Приостановлено
case-state-done = Выполнено, ждёт подтверждения
case-state-confirmed = Подтверждено
case-state-closed = Закрыто
case-state-reopened = Возвращено в работу
priority-normal = Обычная
priority-high = Высокая
priority-urgent = Срочная
kind-complaint = Жалоба
kind-request = Заявка
kind-proposal = Предложение
kind-question = Вопрос
kind-thanks = Благодарность
kind-emergency = Авария
channel-phone = по телефону
channel-cabinet = через личный кабинет
channel-site = через сайт
channel-chat_bot = через чат-бот
channel-messenger = через мессенджер
channel-app = через приложение
channel-reception = на приёме
channel-written = письменно
promise-reaction = Принять в работу
promise-resolution = Выполнить
promise-kept = в срок
promise-kept-late = с опозданием { $span }
promise-running = осталось { $span }
promise-soon = осталось всего { $span }
promise-broken = просрочено на { $span }
promise-kept-at = исполнено { $at }
files = Фото и документы
files-none = Пока ничего не приложено.
file-open = Открыть файл
photo = Фото
photo-of = Фото от { $name }, { $at }
photo-add = Добавить фото
photo-sending = Отправляется…
photo-too-large = «{ $name }» больше 10 МБ. Выберите фото поменьше.
photo-count = Фото приложено: { $n }
document = Документ
words-erased = Слова удалены по закону.
seal-title = Цепочка истории
seal-under = Запечатано { $at }, на событии { $place }:
seal-none = Последнее событие ещё не запечатано: его возьмёт ближайшая ежечасная печать.
seal-last = Последнее событие { $place }:

## Действия с обращением
actions = Что можно сделать
act-forward = Направить
act-accept = Принять
act-return = Вернуть в контакт-центр
act-start = Начать работу
act-pause = Приостановить срок
act-resume = Продолжить
act-finish = Ответить: выполнено
act-confirm = Житель подтвердил
act-control_call = Записать контрольный звонок
act-close = Закрыть без ответа жителя
act-reopen = Вернуть в работу
act-note = Добавить заметку
act-correct = Исправить
act-to = Кому
act-rule = По какому правилу
act-until = До
act-words-forward = Причина
act-words-accept = Комментарий
act-words-return = Почему это не к вам
act-words-start = Комментарий
act-words-pause = Причина
act-words-resume = Комментарий
act-words-finish = Что сделано (или фото)
act-words-confirm = Что сказал житель (если сказал)
act-words-control_call = Что услышали
act-words-close = Причина
act-words-reopen = Что не сделано
act-words-note = Заметка
act-words-correct = Причина
act-words-hint = Останется в истории; житель может это прочитать.
acted-forward = { $number } направлено.
acted-accept = { $number } принято.
acted-return = { $number } возвращено.
acted-start = Работа по { $number } начата.
acted-pause = Срок по { $number } приостановлен.
acted-resume = Срок по { $number } снова идёт.
acted-finish = По { $number } дан ответ.
acted-confirm = { $number } подтверждено.
acted-control_call = Контрольный звонок по { $number } записан.
acted-close = { $number } закрыто.
acted-reopen = { $number } возвращено в работу.
acted-note = Заметка к { $number } записана.
acted-correct = { $number } исправлено.
pause-rule-frost = Мороз
pause-rule-resident-away = Жителя нет дома
refused-state = В этом состоянии так нельзя: { $state }. Посмотрите историю: возможно, кто-то успел раньше.
refused-role = Ваша роль этого не позволяет. Обратитесь к тому, у кого лежит обращение, или к супервизору.
refused-words = Не хватает причины. Напишите так, чтобы житель мог её прочитать.
refused-organisation = { $organisation } не принимает обращения. Выберите другую организацию.
refused-already = Обращение уже у { $organisation }. Выберите другую организацию.
refused-terms = Для этой темы там не утверждены сроки. Попросите администратора их утвердить.
refused-pause = Правило «{ $rule }» разрешает паузу не дольше чем до { $until }. Назовите более ранний момент.
refused-early = Житель может ответить до { $until }. Позвоните ему или подождите.
refused-not-asked = Жителя спросили { $made } раз из { $needed }. Позвоните ещё раз.
refused-nothing = Ничего не меняется. Укажите, что исправить.

## Что произошло с обращением
said-registered = Зарегистрировано { $channel }: { $kind }. { $topic }
said-forwarded = Направлено: { $organisation }, выполнить до { $due }
said-accepted = Принято в работу
said-returned = Возвращено в контакт-центр
said-started = Работа начата
said-paused = Срок приостановлен до { $until }: { $rule }. Выполнить до { $due }
said-resumed = Срок снова идёт, выполнить до { $due }
said-done = Дан ответ: выполнено
said-confirmed = Житель подтвердил, что сделано
said-control-no_answer = Контрольный звонок: не ответили
said-control-undecided = Контрольный звонок: житель не определился
said-closed = Закрыто без ответа жителя
said-reopened = Возвращено в работу: не сделано. Выполнить до { $due }
said-noted = Заметка
said-attached = Приложен файл
said-resident_named = Указано, чьё это обращение
said-corrected = Исправлено: { $changes }
said-linked = Отнесено к инциденту { $incident }
said-unlinked = Отделено от инцидента { $incident }
said-escalated = Срок «{ $promise }» нарушен или близок, шаг { $step }: извещены { $to }
said-erased = Личные данные удалены по закону
told-supervisors = супервизоры
told-city = руководство города
told-head = руководитель организации
told-organisation = организация
author-resident = Житель
author-system = Система

## Реестр
page-register = Реестр
page-case = Обращение
register-lists = Списки реестра
register-show-overdue = Просрочено
register-show-open = Открытые
register-show-all = Все
register-about-overdue = Нарушенные сроки, сначала худшие, и у кого они лежат.
register-about-open = Здесь ещё что-то должны жителю, сначала новые.
register-about-all = Всё, о чём сообщили, сначала новое.
register-search = Поиск по реестру
register-search-hint = Номер, адрес, слова обращения; на любом из языков.
register-clear = Сбросить фильтры
register-none = Ничего не подходит. Уберите фильтр или ищите меньше слов.
register-none-late = Здесь ничего не просрочено.
register-shown = Показано: { $n }
register-desks = У кого сколько просрочено
register-oldest = до { $span } опоздания
views = Сохранённые виды
views-none = Пока ничего не сохранено.
views-save = Сохранить этот вид
views-name = Название вида
views-name-hint = Вид с тем же названием заменится.
views-forget = Забыть «{ $name }»

## Списки работы
page-tasks = Обзвон
tasks-control = Контрольные звонки
tasks-callbacks = Перезвонить
tasks-calls = Сообщить жителям
tasks-about-control = Спросите жителя, сделано ли. Сначала те, кто ждёт дольше всех.
tasks-about-callbacks = Им обещали перезвонить. Сначала самое долгое ожидание; просмотр номеров записывается.
tasks-about-calls = Сообщите, что всё устранено, на их языке.
tasks-control-none = Контрольного звонка никто не ждёт.
tasks-callbacks-none = Звонка никто не ждёт.
tasks-calls-none = Сообщать некому.
task-called = Позвонил(а)
task-ticked = Отмечено.
waits-for = Ждёт
since-when = С какого времени
to-say = Что сказать
control-done-for = Выполнено назад
control-asked = Спросили
control-of = { $made } раз из { $needed }
control-close-after = можно закрыть с { $at }
control-heard = Что говорит житель
control-confirmed = Сделано
control-unclear = Нет ответа или сомнение
control-not-done = Не сделано
control-outcome = Что вышло
control-no_answer = Не ответили
control-undecided = Житель не определился

## Районы
page-districts = Районы
districts-about = Обращения за этот период по районам. В таблице есть всё, что на картинке.
districts-picture = Открытые обращения по районам; то же в таблице
districts-legend = Число: открытые обращения. Чем насыщеннее цвет, тем их больше.
districts-told = открыто: { $open }, просрочено: { $late }
districts-late = просрочено { $n }
districts-cases = Обращений
districts-open = Открыто
districts-overdue = Просрочено
districts-none = За этот период ничего не зарегистрировано.
league = Кто соблюдает сроки
league-about = Из тех, о которых можно судить: срок соблюдён или нарушен. Те, чей срок не настал, не считаются.
league-cases = Обращений
league-reaction = Принято в срок
league-reaction-median = Медиана до принятия
league-resolution = Выполнено в срок
league-resolution-median = Медиана до выполнения
league-of = { $n } из { $of }
league-nothing = пока не о чем судить
league-none = За этот период ни у кого нет обращений.
incident-n = Инцидент { $n }

## Инциденты и работы
page-incidents = Инциденты
page-incident = Инцидент
incidents-about = Одна причина нескольких обращений и объявленные работы. Звонящие слышат о них сразу.
incidents-show-proposed = Подтвердить
incidents-show-confirmed = Идут сейчас
incidents-show-all = Все
incidents-none-proposed = Ничто не ждёт решения.
incidents-none-confirmed = Нет неполадок, о которых сообщают звонящим.
incidents-none-all = Инцидентов пока нет.
incident = Инцидент
incident-sort-incident = Инцидент { $n }
incident-sort-works = Работы { $n }
incident-state-proposed = Ждёт подтверждения
incident-state-confirmed = Идёт, звонящим сообщают
incident-state-dismissed = Отклонён
incident-state-fixed = Устранён
incident-cases = Обращения по нему
incident-no-cases = К нему не относится ни одно обращение.
incident-choose = Выбрать { $number }
incident-owner = Кто устраняет
incident-begins = Начало
incident-ends = Окончание
incident-ended = Завершён
incident-due = Устранить до
incident-due-hint = Этот срок называют жителям. Оставьте пустым, пока никто не знает.
incident-subscribers = Ждут сообщения
incident-act-confirm = Подтвердить и сообщать
incident-act-dismiss = Отклонить
incident-act-fix = Устранено
incident-act-reword = Изменить сообщение
incident-act-part = Отделить выбранные
incident-acted-confirm = Инцидент { $n } подтверждён; звонящим сообщают.
incident-acted-dismiss = Инцидент { $n } отклонён.
incident-acted-fix = Инцидент { $n } устранён; тем, кто ждёт, сообщат.
incident-acted-reword = Звонящие слышат новый текст.
incident-acted-part = Обращения отделены от инцидента { $n }.
incident-words-dismiss = Почему это не инцидент
incident-words-fix = В чём была причина
incident-words-part = Почему они к нему не относятся
incident-parting = Дальше пойдут отдельно: { $cases }
incident-said-proposed = Предложен по { $cases } близким обращениям
incident-said-published = Объявлены работы с { $begins } до { $ends }
incident-said-confirmed = Подтверждён; звонящим сообщают
incident-said-reworded = Сообщение изменено
incident-said-grown = Добавились обращения: { $cases }
incident-said-parted = Отделены обращения: { $cases }
incident-said-dismissed = Отклонён
incident-said-attached = К отчёту приложен файл
incident-said-fixed = Устранён
works-publish = Объявить работы
works-topic = Что не работает в это время
works-begins = Сообщать с
works-ends = Окончание работ
works-published = Работы { $n } объявлены.
where = Где
where-everywhere = Во всём городе
nobody-yet = пока никто
notice-title = Что слышат звонящие
notice-hint = Скажите, что не работает, где и до какого времени. Это читают вслух на языке звонящего до очереди, поэтому нужны все четыре.
notice-length = { $n } из { $of } знаков

## Табло супервизора
page-wallboard = Табло
wall-kiosk = Для экрана на стене
wall-leave-kiosk = Выйти из вида для стены
wall-today = Весь центр с { $since }
wall-up = Звонков сейчас
wall-up-means = Звонки, которые идут в эту минуту: в меню, в очереди или в разговоре.
wall-calls = Звонков сегодня
wall-calls-means = Звонки, поступившие с { $since }.
wall-in-target = В норме
wall-in-target-means = Доля отвеченных за 20 секунд среди всех, кто сегодня вошёл в очередь: { $met } из { $of }. Цель: 80 %.
wall-level-means = Доля отвеченных за { $target } среди всех, кто сегодня вошёл в эту очередь. Цель: 80 %.
wall-below = ниже 80 %
wall-answer = Средний ответ
wall-answer-means = Сумма ожиданий тех, кому сегодня ответили, делённая на их число. Ожидание начинается с очереди.
wall-abandoned = Не дождались
wall-abandoned-means = Положили трубку в очереди, и их доля среди всех вошедших. Из них быстрее 5 секунд: { $short }.
wall-abandoned-queue-means = Положили трубку в этой очереди сегодня, и их доля среди всех вошедших.
wall-callbacks = Нужно перезвонить
wall-callbacks-means = Кому обещали перезвонить и ещё не перезвонили.
wall-missed = Пропущено предложений
wall-missed-means = Звонки, которые сегодня звонили у оператора и не были взяты вовремя. Место в очереди сохранилось.
wall-called-out = Позвонили сами
wall-called-out-means = Звонки операторов жителям сегодня.
wall-waiting-means = Кто ждёт в очереди в эту минуту, включая тех, кто звонит у оператора.
wall-longest-means = Сколько ждёт тот, кто ждёт дольше всех. Цель: { $target }.
wall-longest-over = { $waits } при цели { $target }
wall-entered = Вошли
wall-entered-means = Кто вошёл в эту очередь сегодня: от этого числа считаются все доли.
wall-answered = Отвечено сегодня: { $n }
wall-to-confirm = Подтвердите инциденты
wall-cases-since = обращений: { $n }, началось { $span } назад

## Входящие организации
page-inbox = Входящие
inbox-about-owed = Сначала то, чей срок ближе. Пока вы на строке, она не сдвинется.
inbox-about-answered = Ответ дан; подтвердить должен житель.
inbox-owed = К исполнению
inbox-answered = Отвечено
inbox-late = просрочено: { $n }
inbox-today = срок сегодня: { $n }
inbox-to-accept = принять: { $n }
inbox-none-owed = Долгов нет. Новые обращения появятся здесь сами.
inbox-none-answered = Нет ответов, ждущих слова жителя.
inbox-answer = Ответить
inbox-send = Отправить: выполнено
inbox-more = Суть
inbox-less = Свернуть
inbox-whole = Всё обращение и другие действия
inbox-no-words = В этом обращении нет слов.

## Открытый статус и кабинет
page-status = Статус обращения
page-cabinet = Мои обращения
stations = Путь обращения
station-registered = Зарегистрировано
station-sent = Передано исполнителю
station-being_done = Выполняется
station-done = Выполнено
status-number = Номер обращения
status-number-hint = Его назвал оператор. Например: 109-{ $year }-000001.
status-look = Показать статус
status-unknown = Открытого обращения { $number } нет. Проверьте номер или откройте свои обращения.
status-due = Обещано до { $at }
status-reopened = возвращено в работу: { $n }
status-cabinet = Все ваши обращения, ответы и фото:
cabinet-about = Введите номер, с которого вы звоните. На него придёт код; пароль не нужен.
cabinet-number = Ваш номер телефона
cabinet-number-hint = С кодом страны: +7 701 000 00 00.
cabinet-send-code = Получить код
cabinet-code = Код из сообщения
cabinet-code-sent = Если номер { $number } известен городу, код уже отправлен.
cabinet-code-hint = Действует { $n } минут.
cabinet-enter = Войти
cabinet-other-number = Другой номер
cabinet-again = Отправить ещё раз
cabinet-again-in = Ещё раз через { $n } с
cabinet-wrong-code = Код неверный или устарел. Посмотрите последнее сообщение.
cabinet-wrong-number = Это не номер телефона. Напишите его с кодом страны.
cabinet-none = С этого номера обращений не было.
cabinet-none-hint = Позвоните на 109, и следующее появится здесь.
cabinet-your-word = Нужно ваше слово: сделано?
cabinet-is-it-done = Сделано?
cabinet-came-back = Проблема вернулась?
cabinet-confirm = Да, сделано
cabinet-not-done = Нет, не сделано
cabinet-yes-back = Да, вернулась
cabinet-what-not = Что не сделано?
cabinet-reopen-send = Вернуть в работу
cabinet-confirmed = Спасибо. Записано, что сделано.
cabinet-reopened = Возвращено в работу; исполнитель увидит ваши слова.
cabinet-answer = Ответ
cabinet-reported = О чём вы сообщили
cabinet-photos = Фотографии
cabinet-photo-own = Ваше фото, { $at }
cabinet-photo-answer = Фото к ответу, { $at }
cabinet-all = Все мои обращения
cabinet-event-registered = Зарегистрировано
cabinet-event-forwarded = Передано исполнителю
cabinet-event-accepted = Исполнитель принял
cabinet-event-returned = Выбирают другого исполнителя
cabinet-event-started = Работа начата
cabinet-event-paused = Работа приостановлена по правилам города
cabinet-event-resumed = Работа продолжена
cabinet-event-done = Исполнитель сообщил, что сделано
cabinet-event-confirmed = Вы подтвердили
cabinet-event-closed = Закрыто
cabinet-event-reopened = Возвращено в работу
cabinet-event-attached = Добавлено фото
refusal-pace = Слишком часто. Подождите минуту и попробуйте снова.
refusal-conflict = Кто-то успел раньше. Загрузите заново и повторите.
refusal-missing = Такого нет или вам это не показывают.
refusal-role = Ваша роль этого не позволяет.
refusal-slow = Сервер перегружен. Попробуйте через минуту.
refusal-store = База данных недоступна. Повторите; если не пройдёт, сообщите администратору.

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

## Рабочее место: моё состояние
my-state = Моё состояние
agent-supervising = Слушает
be-ready = Готов принимать звонки
done-ready = Закончить и принять следующий
end-shift = Закончить смену
pause-because = Перерыв, причина
pause-after-call = Перерыв после этого звонка
pause-choose = Взять перерыв…
pause-reason-break = Перерыв
pause-reason-lunch = Обед
pause-reason-training = Обучение
pause-reason-meeting = Совещание
pause-reason-cool_off = Пауза после грубого звонка
state-by-itself = Это состояние закончится само.
idle-offline = Звонки пойдут, когда вы будете готовы. Тогда же понадобится микрофон.
idle-ready = Следующий звонок зазвонит здесь. Ответить можно одной клавишей.
idle-paused = Во время перерыва звонки не приходят.
idle-not-responding = Звонок остался без ответа и ушёл коллеге. Нажмите «Готов», и звонки пойдут снова.
idle-offered = Звонок на подходе.
idle-talking = Вы разговариваете.
idle-wrap-up = Запишите, о чём был звонок.
idle-internal = Вы говорите с коллегой.
idle-supervising = Вы участвуете в разговоре коллеги.

## Рабочее место: кто ждёт
queue-waiting = { $n ->
     [one] ждёт { $n }
     [few] ждут { $n }
     [many] ждут { $n }
    *[other] ждут { $n }
  }
nobody-waits = Никто не ждёт
more = и ещё { $n }
queue-name-general = Общая
queue-name-heating = Отопление
queue-name-utilities = Коммунальная
queue-name-roads = Дороги
queue-name-quality = Линия качества

## Рабочее место: связь и звук
link-lost = Связь с сервером потеряна. Подключаемся снова…
link-lost-talking = Связь с сервером потеряна. Житель слышит музыку и не потеряется; подключаемся снова…
link-back = Связь восстановлена.
taken-over = Это рабочее место открыто в другой вкладке или на другом компьютере. Здесь ничего сделать нельзя.
take-back = Работать здесь
try-again = Повторить
discard = Отменить
not-told-yet = Сервер ещё не получил:
wish-ready = Готов
wish-pause = Перерыв
wish-sign_out = Конец смены
wish-offer_shown = Звонок на экране
wish-accept = Ответить
wish-decline = Отклонить
wish-hang_up = Завершить звонок
wish-wrap_up_done = Конец оформления
wish-extend_wrap_up = Больше времени на оформление
wish-hold = Удержание
wish-resume = Вернуться к разговору
wish-consult = Спросить коллегу
wish-complete_consult = Передать
wish-end_consult = Вернуться к жителю
wish-conference = Втроём
wish-transfer = Перевод
wish-call_out = Позвонить по номеру
wish-ask_help = Позвать супервизора
wish-help_done = Помощь больше не нужна
wish-warn = Предупредить звонящего
wish-end_abuse = Завершить из-за грубости
wish-pause_recording = Приостановить запись
wish-resume_recording = Продолжить запись
wish-digits = Набрать цифры
wish-save_draft = Сохранить черновик
wish-drop_draft = Удалить черновик
sound-off = Звук выключен
sound-asking = Запрашиваем микрофон
sound-asking-how = Разрешите микрофон в вопросе браузера вверху страницы.
sound-connecting = Подключение
sound-up = Микрофон
sound-mending = Восстанавливаем звук
sound-denied = Микрофон запрещён
sound-denied-how = Браузер не даёт микрофон. Разрешите его значком рядом с адресом и попробуйте снова.
sound-no-microphone = Нет микрофона
sound-no-microphone-how = Микрофона нет. Подключите гарнитуру; страница должна быть открыта по https или на этом компьютере.
sound-muted = Вас не слышно
sound-telephone = Телефонный аппарат
devices = Звук и устройства
by-telephone = Я говорю по телефону рядом с компьютером
device-microphone = Микрофон
device-headset = Наушники
device-ring = Звонить на
device-usual = Как в системе
ring-volume = Громкость звонка
test-microphone = Проверить микрофон
test-headset = Проверить наушники
test-ring = Проверить звонок
test-end = Закончить проверку
test-speak = Скажите что-нибудь.
test-heard = Вас слышно.

## Рабочее место: звонок
title-call = Звонок!
offer-call = Звонит житель
offer-colleague = { $name } просит вас
offer-own-phone = Звоним на ваш телефон
offer-answers-itself = Звонок примется сам после сигнала.
offer-rings-for = Звонит ещё { $time }
accept = Ответить
accept-telephone = Ответить на аппарате
decline = Отклонить
topic-unknown = Тема не выбрана
waited = Ожидание
city-number = Набран номер
caller = От кого
why-you = Почему мне?
why-asked-for = Вас попросили по имени.
why-only-one = Свободны были только вы.
why-only-one-with = Из свободных только вы владеете: { $skills }.
why-longest = Из свободных ({ $n }) вы ждали дольше всех.
why-longest-with = Из свободных ({ $n }), кто владеет: { $skills }, — вы ждали дольше всех.
verdict-chosen = свободен { $time }, выбран
verdict-eligible = свободен { $time }
verdict-lacks = свободен, но не владеет: { $skills }
talk = Разговор
talk-on-hold = На удержании
talk-asked-by = Вас спрашивает { $name }
meter-them = житель
meter-me = я
hold-music = Житель слышит музыку
muted-now = Житель вас не слышит
recording-paused = Без записи, ещё { $time }
help-asked = Супервизор вызван
call-controls = Действия со звонком
hold = Удержать
resume = Вернуться
mute = Выключить микрофон
unmute = Включить микрофон
transfer = Перевести…
consult = Спросить…
digits = Цифры…
digits-sent = Отправленные цифры
recording-pause = Пауза записи
recording-resume = Снова писать
ask-help = Супервизора!
help-done = Помощь не нужна
abuse = Грубость…
end-call = Завершить звонок
leave-talk = Выйти из разговора
third-asking = Дозваниваемся; житель слышит музыку.
third-consulting = Вы говорите с ним наедине; житель слышит музыку.
third-conference = Все трое слышат друг друга.
hand-over = Передать жителя
conference = Говорить втроём
back-to-resident = Вернуться к жителю
transfer-title = Перевести звонок
consult-title = Спросить коллегу
whom = Коллега, очередь или номер
whom-hint = Введите имя или номер, например +7 701 000 00 00.
whom-nobody = Выберите из списка или введите номер.
whom-no-number = Введите номер: от 2 до 20 цифр, при необходимости с +.
transfer-do = Перевести
consult-first = Сначала спросить
consult-do = Спросить
call-out = Позвонить по номеру…
number-to-call = Номер для звонка
call = Позвонить
abuse-how = Сначала предупредите звонящего. И только потом завершайте звонок.
abuse-warned = Звонящий слышал предупреждение.
abuse-warn = Включить предупреждение
abuse-days = Отметить номер на
abuse-days-hint = До этого срока операторы видят отметку. Вам дадут короткую передышку.
abuse-end = Завершить звонок
days = { $n ->
     [one] { $n } день
     [few] { $n } дня
     [many] { $n } дней
    *[other] { $n } дня
  }
wrap-up-disposed = Итог звонка записан.
wrap-up-say-outcome = Отметьте итог звонка, и вы снова готовы.
extend-wrap-up = Ещё время

## Рабочее место: обращение
case = Обращение
case-without-call = Обращение без звонка
kept-here = Сохраняется по мере ввода
outcome = Итог звонка
outcome-case = Обращение
outcome-consultation = Консультация
outcome-case_asked = Вопрос об обращении
outcome-handed_on = Передан дальше
outcome-wrong_number = Ошиблись номером
outcome-silent = Тишина
outcome-other = Другое
topic-type = Начните вводить, о чём речь
topic-none = Нет такой темы. Попробуйте другое слово.
topic-missing = Выберите тему.
street = Улица
formerly = прежде { $names }
house = Дом
flat = Квартира
district-is = Район: { $name }
what-happened = Что случилось
text-missing = Напишите, что случилось.
priority = Срочность
nothing-lost = Ничего не потеряно: всё осталось здесь.
contact-counted = Записано.
register-case = Зарегистрировать
save-outcome = Сохранить итог
case-registered-at = Зарегистрировано в { $time }. Продиктуйте номер:
copy-number = Скопировать номер
copied = Скопировано.
another-case = Ещё одно обращение

## Рабочее место: кто звонит
context = Кто звонит
looking-up = Ищем…
nameless = без имени
line-says = Имя от линии: { $name }
residents-at-number = { $n ->
     [one] На этом номере { $n } житель
     [few] На этом номере { $n } жителя
     [many] На этом номере { $n } жителей
    *[other] На этом номере { $n } жителя
  }
protected-veteran = Ветеран войны
abuse-until = Отметка о грубости до { $day }
callbacks-owed = { $n ->
     [one] Обещан { $n } обратный звонок
     [few] Обещано { $n } обратных звонка
     [many] Обещано { $n } обратных звонков
    *[other] Обещано { $n } обратных звонка
  }
overdue-by = Просрочено на { $time }
near-address = Рядом с этим адресом
until = до { $time }
open-cases = Открытые обращения: { $n }
no-open-cases = Нет.
due = срок { $time }
notes = Заметки
earlier-calls = Прошлые звонки
first-call = Звонит впервые.
is-up = на линии
ending-caller_hung_up = житель положил трубку
ending-left_in_menu = ушёл в меню
ending-abandoned = не дождался
ending-operator_hung_up = оператор положил трубку

## Рабочее место: статьи и задачи
articles = Справка
articles-search = Искать в справке
articles-none = Статьи об этом нет.
article-answered = { $n ->
     [one] Помогла { $n } раз
     [few] Помогла { $n } раза
     [many] Помогла { $n } раз
    *[other] Помогла { $n } раза
  }
this-answered-it = Это и был ответ
callbacks = Перезвонить: { $n }
tasks = Задачи: { $n }
drafts = Не дописано: { $n }
today-calls = { $n ->
     [one] Сегодня: { $n } звонок
     [few] Сегодня: { $n } звонка
     [many] Сегодня: { $n } звонков
    *[other] Сегодня: { $n } звонка
  }
today-average = в среднем { $time }
break-due = перерыв в { $time }
break-due-since = перерыв положен с { $time }
list-callbacks = Кому перезвонить
list-tasks = Задачи
list-drafts = Недописанные обращения
callbacks-none = Перезванивать некому.
tasks-none = Для вас ничего нет.
drafts-none = Недописанного нет.
waits-since = ждёт { $time }
task-undisposed = Звонок { $call }: чем закончился?
say-outcome = Указать
task-control = Узнать, сделано ли:
done-for = сделано { $time } назад
go-on-writing = Дописать
throw-away = Удалить

## Рабочее место: клавиши
keys-title = Клавиши
keys-how = Клавиши привязаны к месту и работают в любой раскладке. Когда пишете, держите Alt: Alt + A отвечает из любого поля.
keys-letters = Вне полей буквы действуют без Alt
key-accept = Ответить на звонок
key-decline = Отклонить звонок
key-hold = Удержать и вернуться
key-mute = Микрофон выключить и включить
key-transfer = Перевести звонок
key-consult = Спросить коллегу
key-digits = Набрать цифры
key-recording = Запись приостановить и продолжить
key-help = Позвать супервизора
key-warn = Звонящий грубит
key-end = Завершить звонок
key-case = Перейти к обращению
key-context = Перейти к сведениям о звонящем
key-extend = Ещё время на оформление
key-done = Оформление закончено, готов
key-ready = Готов принимать звонки
key-pause = Сменить состояние, взять перерыв
key-call-out = Позвонить по номеру
key-tasks = Показать задачи
key-keys = Показать клавиши
key-save = Зарегистрировать, сохранить итог
key-reasons = Причина перерыва, в меню состояния

## В чём сервер отказывает
refused-no-phone = Ваш телефон не зарегистрирован. Включите его и снова нажмите «Готов».
refused-no-sound = Звук этой страницы не подключён. Разрешите микрофон и снова нажмите «Готов».
refused-busy = У вас звонок. Сначала закончите его.
refused-offer-over = Звонок ушёл коллеге. Делать ничего не нужно.
refused-unknown-operator = Вашей учётной записи нет среди операторов. Попросите администратора добавить вас.
refused-pick-up = На этот звонок отвечают на аппарате. Снимите трубку.
refused-not-your-talk = Вы уже не в этом разговоре.
refused-not-free = Тот, кого вы просили, занят. Спросите другого или передайте звонок в очередь.
refused-unknown-target = Никого с таким именем нет. Выберите из списка или введите номер.
refused-not-now = Сейчас этого сделать нельзя.
refused-no-number = Это не номер телефона. Введите от 2 до 20 цифр.
refused-overloaded = Сервер перегружен. Попробуйте ещё раз.
refused-no-story = Сведения о звонящем не прочитать: база не отвечает. Спросите его самого.

## Вход
sign-in-code = Код входа
sign-in-code-hint = Шесть цифр, которые сейчас показывает ваш телефон.
refusal-wrong_code = Код неверный или уже использован. Дождитесь следующего.
demo-title = Демонстрационный город. Посмотреть как:
