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

## Спільне для сторінок
ask-again = Запитати знову
loading = Завантажується…
save = Зберегти
cancel = Скасувати
search = Знайти
any = будь-яке
choose = Виберіть…
stays = { $value } (без змін)
read-on = Показати ще
the-centre = контакт-центр
your-organisation = ваша організація
topic = Тема
district = Район
district-none = без району
number = Номер телефону
number-withheld = номер приховано
done = Готово
about = Про що
over = За період
last-days = останні { $n } дн.
language-kk = казахська
language-ru = російська
language-uk = українська
language-en = англійська
unit-kilobytes = { $n } КБ

## Звернення
case-number = Звернення
case-desk = У кого лежить
case-registered = Зареєстровано
case-kind = Вид
case-channel = Надійшло
case-priority = Терміновість
case-reopened = Повернуто в роботу, разів
case-control-calls = Контрольних дзвінків
address = Адреса
case-history = Що відбувалося
case-state-registered = Зареєстровано
case-state-forwarded = Направлено
case-state-accepted = Прийнято
case-state-in_work = У роботі
case-state-paused = Призупинено
case-state-done = Виконано, чекає підтвердження
case-state-confirmed = Підтверджено
case-state-closed = Закрито
case-state-reopened = Повернуто в роботу
priority-normal = Звичайна
priority-high = Висока
priority-urgent = Термінова
kind-complaint = Скарга
kind-request = Заявка
kind-proposal = Пропозиція
kind-question = Питання
kind-thanks = Подяка
kind-emergency = Аварія
channel-phone = телефоном
channel-cabinet = через особистий кабінет
channel-site = через сайт
channel-chat_bot = через чат-бот
channel-messenger = через месенджер
channel-app = через застосунок
channel-reception = на прийомі
channel-written = письмово
promise-reaction = Прийняти в роботу
promise-resolution = Виконати
promise-kept = вчасно
promise-kept-late = із запізненням { $span }
promise-running = лишилося { $span }
promise-soon = лишилося лише { $span }
promise-broken = прострочено на { $span }
promise-kept-at = виконано { $at }
files = Фото та документи
files-none = Поки нічого не додано.
file-open = Відкрити файл
photo = Фото
photo-of = Фото від { $name }, { $at }
photo-add = Додати фото
photo-sending = Надсилається…
photo-too-large = «{ $name }» більше за 10 МБ. Виберіть менше фото.
photo-count = Фото додано: { $n }
document = Документ
words-erased = Слова вилучено за законом.
seal-title = Ланцюг історії
seal-under = Запечатано { $at }, на події { $place }:
seal-none = Останню подію ще не запечатано: її охопить найближча щогодинна печатка.
seal-last = Остання подія { $place }:

## Дії зі зверненням
actions = Що можна зробити
act-forward = Направити
act-accept = Прийняти
act-return = Повернути в контакт-центр
act-start = Почати роботу
act-pause = Призупинити строк
act-resume = Продовжити
act-finish = Відповісти: виконано
act-confirm = Мешканець підтвердив
act-control_call = Записати контрольний дзвінок
act-close = Закрити без відповіді мешканця
act-reopen = Повернути в роботу
act-note = Додати нотатку
act-correct = Виправити
act-to = Кому
act-rule = За яким правилом
act-until = До
act-words-forward = Причина
act-words-accept = Коментар
act-words-return = Чому це не до вас
act-words-start = Коментар
act-words-pause = Причина
act-words-resume = Коментар
act-words-finish = Що зроблено (або фото)
act-words-confirm = Що сказав мешканець (якщо сказав)
act-words-control_call = Що почули
act-words-close = Причина
act-words-reopen = Що не зроблено
act-words-note = Нотатка
act-words-correct = Причина
act-words-hint = Залишиться в історії; мешканець може це прочитати.
acted-forward = { $number } направлено.
acted-accept = { $number } прийнято.
acted-return = { $number } повернуто.
acted-start = Роботу за { $number } розпочато.
acted-pause = Строк за { $number } призупинено.
acted-resume = Строк за { $number } знову йде.
acted-finish = На { $number } дано відповідь.
acted-confirm = { $number } підтверджено.
acted-control_call = Контрольний дзвінок за { $number } записано.
acted-close = { $number } закрито.
acted-reopen = { $number } повернуто в роботу.
acted-note = Нотатку до { $number } записано.
acted-correct = { $number } виправлено.
pause-rule-frost = Мороз
pause-rule-resident-away = Мешканця немає вдома
refused-state = У цьому стані так не можна: { $state }. Перегляньте історію: можливо, хтось встиг раніше.
refused-role = Ваша роль цього не дозволяє. Зверніться до того, у кого лежить звернення, або до супервізора.
refused-words = Бракує причини. Напишіть так, щоб мешканець міг її прочитати.
refused-organisation = { $organisation } не приймає звернень. Виберіть іншу організацію.
refused-already = Звернення вже у { $organisation }. Виберіть іншу організацію.
refused-terms = Для цієї теми там не затверджено строків. Попросіть адміністратора їх затвердити.
refused-pause = Правило «{ $rule }» дозволяє паузу щонайдовше до { $until }. Назвіть раніший момент.
refused-early = Мешканець може відповісти до { $until }. Зателефонуйте йому або зачекайте.
refused-not-asked = Мешканця запитали { $made } разів із { $needed }. Зателефонуйте ще раз.
refused-nothing = Нічого не змінюється. Укажіть, що виправити.

## Що сталося зі зверненням
said-registered = Зареєстровано { $channel }: { $kind }. { $topic }
said-forwarded = Направлено: { $organisation }, виконати до { $due }
said-accepted = Прийнято в роботу
said-returned = Повернуто в контакт-центр
said-started = Роботу розпочато
said-paused = Строк призупинено до { $until }: { $rule }. Виконати до { $due }
said-resumed = Строк знову йде, виконати до { $due }
said-done = Дано відповідь: виконано
said-confirmed = Мешканець підтвердив, що зроблено
said-control-no_answer = Контрольний дзвінок: не відповіли
said-control-undecided = Контрольний дзвінок: мешканець не визначився
said-closed = Закрито без відповіді мешканця
said-reopened = Повернуто в роботу: не зроблено. Виконати до { $due }
said-noted = Нотатка
said-attached = Додано файл
said-resident_named = Указано, чиє це звернення
said-corrected = Виправлено: { $changes }
said-linked = Віднесено до інциденту { $incident }
said-unlinked = Відокремлено від інциденту { $incident }
said-escalated = Строк «{ $promise }» порушено або близький, крок { $step }: сповіщено { $to }
said-erased = Особисті дані вилучено за законом
told-supervisors = супервізори
told-city = керівництво міста
told-head = керівник організації
told-organisation = організація
author-resident = Мешканець
author-system = Система

## Реєстр
page-register = Реєстр
page-case = Звернення
register-lists = Списки реєстру
register-show-overdue = Прострочено
register-show-open = Відкриті
register-show-all = Усі
register-about-overdue = Порушені строки, спочатку найгірші, і в кого вони лежать.
register-about-open = Тут ще щось винні мешканцеві, спочатку нові.
register-about-all = Усе, про що повідомили, спочатку нове.
register-search = Пошук у реєстрі
register-search-hint = Номер, адреса, слова звернення; будь-якою з мов.
register-clear = Скинути фільтри
register-none = Нічого не підходить. Приберіть фільтр або шукайте менше слів.
register-none-late = Тут нічого не прострочено.
register-shown = Показано: { $n }
register-desks = У кого скільки прострочено
register-oldest = до { $span } запізнення
views = Збережені види
views-none = Поки нічого не збережено.
views-save = Зберегти цей вид
views-name = Назва виду
views-name-hint = Вид з тією ж назвою буде замінено.
views-forget = Забути «{ $name }»

## Списки роботи
page-tasks = Обдзвін
tasks-control = Контрольні дзвінки
tasks-callbacks = Передзвонити
tasks-calls = Повідомити мешканцям
tasks-about-control = Запитайте мешканця, чи зроблено. Спочатку ті, хто чекає найдовше.
tasks-about-callbacks = Їм обіцяли передзвонити. Спочатку найдовше очікування; перегляд номерів записується.
tasks-about-calls = Повідомте, що все усунено, їхньою мовою.
tasks-control-none = Контрольного дзвінка ніхто не чекає.
tasks-callbacks-none = Дзвінка ніхто не чекає.
tasks-calls-none = Повідомляти нікому.
task-called = Зателефоновано
task-ticked = Позначено.
waits-for = Чекає
since-when = З якого часу
to-say = Що сказати
control-done-for = Виконано тому
control-asked = Запитали
control-of = { $made } разів із { $needed }
control-close-after = можна закрити з { $at }
control-heard = Що каже мешканець
control-confirmed = Зроблено
control-unclear = Немає відповіді або сумнів
control-not-done = Не зроблено
control-outcome = Що вийшло
control-no_answer = Не відповіли
control-undecided = Мешканець не визначився

## Райони
page-districts = Райони
districts-about = Звернення за цей період за районами. У таблиці є все, що на малюнку.
districts-picture = Відкриті звернення за районами; те саме в таблиці
districts-legend = Число: відкриті звернення. Що насиченіший колір, то їх більше.
districts-told = відкрито: { $open }, прострочено: { $late }
districts-late = прострочено { $n }
districts-cases = Звернень
districts-open = Відкрито
districts-overdue = Прострочено
districts-none = За цей період нічого не зареєстровано.
league = Хто дотримується строків
league-about = З тих, про які можна судити: строк дотримано або порушено. Ті, чий строк не настав, не рахуються.
league-cases = Звернень
league-reaction = Прийнято вчасно
league-reaction-median = Медіана до прийняття
league-resolution = Виконано вчасно
league-resolution-median = Медіана до виконання
league-of = { $n } із { $of }
league-nothing = поки нема про що судити
league-none = За цей період ні в кого немає звернень.
incident-n = Інцидент { $n }

## Інциденти та роботи
page-incidents = Інциденти
page-incident = Інцидент
incidents-about = Одна причина кількох звернень та оголошені роботи. Ті, хто дзвонить, чують про них одразу.
incidents-show-proposed = Підтвердити
incidents-show-confirmed = Тривають
incidents-show-all = Усі
incidents-none-proposed = Нічого не чекає рішення.
incidents-none-confirmed = Немає несправностей, про які повідомляють тих, хто дзвонить.
incidents-none-all = Інцидентів поки немає.
incident = Інцидент
incident-sort-incident = Інцидент { $n }
incident-sort-works = Роботи { $n }
incident-state-proposed = Чекає підтвердження
incident-state-confirmed = Триває, про нього повідомляють
incident-state-dismissed = Відхилено
incident-state-fixed = Усунено
incident-cases = Звернення щодо нього
incident-no-cases = До нього не належить жодне звернення.
incident-choose = Вибрати { $number }
incident-owner = Хто усуває
incident-begins = Початок
incident-ends = Закінчення
incident-ended = Завершено
incident-due = Усунути до
incident-due-hint = Цей строк називають мешканцям. Залиште порожнім, доки ніхто не знає.
incident-subscribers = Чекають повідомлення
incident-act-confirm = Підтвердити й повідомляти
incident-act-dismiss = Відхилити
incident-act-fix = Усунено
incident-act-reword = Змінити повідомлення
incident-act-part = Відокремити вибрані
incident-acted-confirm = Інцидент { $n } підтверджено; про нього повідомляють.
incident-acted-dismiss = Інцидент { $n } відхилено.
incident-acted-fix = Інцидент { $n } усунено; тих, хто чекає, повідомлять.
incident-acted-reword = Ті, хто дзвонить, чують новий текст.
incident-acted-part = Звернення відокремлено від інциденту { $n }.
incident-words-dismiss = Чому це не інцидент
incident-words-fix = У чому була причина
incident-words-part = Чому вони до нього не належать
incident-parting = Далі йтимуть окремо: { $cases }
incident-said-proposed = Запропоновано за { $cases } близькими зверненнями
incident-said-published = Оголошено роботи з { $begins } до { $ends }
incident-said-confirmed = Підтверджено; про нього повідомляють
incident-said-reworded = Повідомлення змінено
incident-said-grown = Додалися звернення: { $cases }
incident-said-parted = Відокремлено звернення: { $cases }
incident-said-dismissed = Відхилено
incident-said-attached = До звіту додано файл
incident-said-fixed = Усунено
works-publish = Оголосити роботи
works-topic = Що не працює в цей час
works-begins = Повідомляти з
works-ends = Закінчення робіт
works-published = Роботи { $n } оголошено.
where = Де
where-everywhere = У всьому місті
nobody-yet = поки ніхто
notice-title = Що чують ті, хто дзвонить
notice-hint = Скажіть, що не працює, де й до якого часу. Це читають уголос мовою того, хто дзвонить, до черги, тому потрібні всі чотири.
notice-length = { $n } із { $of } знаків

## Табло супервізора
page-wallboard = Табло
wall-kiosk = Для екрана на стіні
wall-leave-kiosk = Вийти з вигляду для стіни
wall-today = Увесь центр з { $since }
wall-up = Дзвінків зараз
wall-up-means = Дзвінки, що тривають цієї миті: у меню, у черзі або в розмові.
wall-calls = Дзвінків сьогодні
wall-calls-means = Дзвінки, що надійшли з { $since }.
wall-in-target = У нормі
wall-in-target-means = Частка відповідей за 20 секунд серед усіх, хто сьогодні став у чергу: { $met } з { $of }. Мета: 80 %.
wall-level-means = Частка відповідей за { $target } серед усіх, хто сьогодні став у цю чергу. Мета: 80 %.
wall-below = нижче за 80 %
wall-answer = Середня відповідь
wall-answer-means = Сума очікувань тих, кому сьогодні відповіли, поділена на їхню кількість. Очікування починається з черги.
wall-abandoned = Не дочекалися
wall-abandoned-means = Поклали слухавку в черзі, та їхня частка серед усіх. З них швидше за 5 секунд: { $short }.
wall-abandoned-queue-means = Поклали слухавку в цій черзі сьогодні, та їхня частка серед усіх.
wall-callbacks = Треба передзвонити
wall-callbacks-means = Кому обіцяли передзвонити й ще не передзвонили.
wall-missed = Пропущено пропозицій
wall-missed-means = Дзвінки, що сьогодні дзвонили в оператора й не були взяті вчасно. Місце в черзі збереглося.
wall-called-out = Зателефонували самі
wall-called-out-means = Дзвінки операторів мешканцям сьогодні.
wall-waiting-means = Хто чекає в черзі цієї миті, разом із тими, хто дзвонить в оператора.
wall-longest-means = Скільки чекає той, хто чекає найдовше. Мета: { $target }.
wall-longest-over = { $waits } за мети { $target }
wall-entered = Увійшли
wall-entered-means = Хто став у цю чергу сьогодні: від цього числа рахуються всі частки.
wall-answered = Відповіді сьогодні: { $n }
wall-to-confirm = Підтвердьте інциденти
wall-cases-since = звернень: { $n }, почалося { $span } тому

## Вхідні організації
page-inbox = Вхідні
inbox-about-owed = Спочатку те, чий строк ближчий. Поки ви на рядку, він не зрушить.
inbox-about-answered = Відповідь дано; підтвердити має мешканець.
inbox-owed = До виконання
inbox-answered = Відповіли
inbox-late = прострочено: { $n }
inbox-today = строк сьогодні: { $n }
inbox-to-accept = прийняти: { $n }
inbox-none-owed = Боргів немає. Нові звернення з’являться тут самі.
inbox-none-answered = Немає відповідей, що чекають на слово мешканця.
inbox-answer = Відповісти
inbox-send = Надіслати: виконано
inbox-more = Суть
inbox-less = Згорнути
inbox-whole = Усе звернення та інші дії
inbox-no-words = У цьому зверненні немає слів.

## Відкритий статус і кабінет
page-status = Статус звернення
page-cabinet = Мої звернення
stations = Шлях звернення
station-registered = Зареєстровано
station-sent = Передано виконавцю
station-being_done = Виконується
station-done = Виконано
status-number = Номер звернення
status-number-hint = Його назвав оператор. Наприклад: 109-{ $year }-000001.
status-look = Показати статус
status-unknown = Відкритого звернення { $number } немає. Перевірте номер або відкрийте свої звернення.
status-due = Обіцяно до { $at }
status-reopened = повернуто в роботу: { $n }
status-cabinet = Усі ваші звернення, відповіді та фото:
cabinet-about = Введіть номер, з якого ви телефонуєте. На нього прийде код; пароль не потрібен.
cabinet-number = Ваш номер телефону
cabinet-number-hint = З кодом країни: +7 701 000 00 00.
cabinet-send-code = Отримати код
cabinet-code = Код з повідомлення
cabinet-code-sent = Якщо номер { $number } відомий місту, код уже надіслано.
cabinet-code-hint = Діє { $n } хвилин.
cabinet-enter = Увійти
cabinet-other-number = Інший номер
cabinet-again = Надіслати ще раз
cabinet-again-in = Ще раз через { $n } с
cabinet-wrong-code = Код неправильний або застарів. Подивіться останнє повідомлення.
cabinet-wrong-number = Це не номер телефону. Напишіть його з кодом країни.
cabinet-none = З цього номера звернень не було.
cabinet-none-hint = Зателефонуйте на 109, і наступне з’явиться тут.
cabinet-your-word = Потрібне ваше слово: зроблено?
cabinet-is-it-done = Зроблено?
cabinet-came-back = Проблема повернулася?
cabinet-confirm = Так, зроблено
cabinet-not-done = Ні, не зроблено
cabinet-yes-back = Так, повернулася
cabinet-what-not = Що не зроблено?
cabinet-reopen-send = Повернути в роботу
cabinet-confirmed = Дякуємо. Записано, що зроблено.
cabinet-reopened = Повернуто в роботу; виконавець побачить ваші слова.
cabinet-answer = Відповідь
cabinet-reported = Про що ви повідомили
cabinet-photos = Фотографії
cabinet-photo-own = Ваше фото, { $at }
cabinet-photo-answer = Фото до відповіді, { $at }
cabinet-all = Усі мої звернення
cabinet-event-registered = Зареєстровано
cabinet-event-forwarded = Передано виконавцю
cabinet-event-accepted = Виконавець прийняв
cabinet-event-returned = Обирають іншого виконавця
cabinet-event-started = Роботу розпочато
cabinet-event-paused = Роботу призупинено за правилами міста
cabinet-event-resumed = Роботу продовжено
cabinet-event-done = Виконавець повідомив, що зроблено
cabinet-event-confirmed = Ви підтвердили
cabinet-event-closed = Закрито
cabinet-event-reopened = Повернуто в роботу
cabinet-event-attached = Додано фото
refusal-pace = Занадто часто. Зачекайте хвилину і спробуйте знову.
refusal-conflict = Хтось встиг раніше. Завантажте знову й повторіть.
refusal-missing = Такого немає або вам це не показують.
refusal-role = Ваша роль цього не дозволяє.
refusal-slow = Сервер перевантажений. Спробуйте за хвилину.
refusal-store = База даних недоступна. Повторіть; якщо не мине, повідомте адміністратора.

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

## Робоче місце: мій стан
my-state = Мій стан
agent-supervising = Слухає
be-ready = Готовий приймати дзвінки
done-ready = Закінчити і прийняти наступний
end-shift = Закінчити зміну
pause-because = Перерва, причина
pause-after-call = Перерва після цього дзвінка
pause-choose = Взяти перерву…
pause-reason-break = Перерва
pause-reason-lunch = Обід
pause-reason-training = Навчання
pause-reason-meeting = Нарада
pause-reason-cool_off = Пауза після грубого дзвінка
state-by-itself = Цей стан закінчиться сам.
idle-offline = Дзвінки підуть, коли ви будете готові. Тоді ж знадобиться мікрофон.
idle-ready = Наступний дзвінок задзвонить тут. Відповісти можна однією клавішею.
idle-paused = Під час перерви дзвінки не надходять.
idle-not-responding = Дзвінок лишився без відповіді й пішов до колеги. Натисніть «Готовий», і дзвінки підуть знову.
idle-offered = Дзвінок надходить.
idle-talking = Ви розмовляєте.
idle-wrap-up = Запишіть, про що був дзвінок.
idle-internal = Ви говорите з колегою.
idle-supervising = Ви берете участь у розмові колеги.

## Робоче місце: хто чекає
queue-waiting = { $n ->
     [one] чекає { $n }
     [few] чекають { $n }
     [many] чекають { $n }
    *[other] чекають { $n }
  }
nobody-waits = Ніхто не чекає
more = і ще { $n }
queue-name-general = Загальна
queue-name-heating = Опалення
queue-name-utilities = Комунальна
queue-name-roads = Дороги міста
queue-name-quality = Лінія якості

## Робоче місце: зв’язок і звук
link-lost = Зв’язок із сервером втрачено. Під’єднуємося знову…
link-lost-talking = Зв’язок із сервером втрачено. Мешканець чує музику й не загубиться; під’єднуємося знову…
link-back = Зв’язок відновлено.
taken-over = Це робоче місце відкрито в іншій вкладці або на іншому комп’ютері. Тут нічого зробити не можна.
take-back = Працювати тут
try-again = Повторити
discard = Скасувати
not-told-yet = Сервер ще не отримав:
wish-ready = Готовий
wish-pause = Перерва
wish-sign_out = Кінець зміни
wish-offer_shown = Дзвінок на екрані
wish-accept = Відповісти
wish-decline = Відхилити
wish-hang_up = Завершити дзвінок
wish-wrap_up_done = Кінець оформлення
wish-extend_wrap_up = Більше часу на оформлення
wish-hold = Утримання
wish-resume = Повернутися до розмови
wish-consult = Запитати колегу
wish-complete_consult = Передати
wish-end_consult = Повернутися до мешканця
wish-conference = Утрьох
wish-transfer = Переведення
wish-call_out = Подзвонити за номером
wish-ask_help = Покликати супервізора
wish-help_done = Допомога більше не потрібна
wish-warn = Попередити абонента
wish-end_abuse = Завершити через грубість
wish-pause_recording = Призупинити запис
wish-resume_recording = Продовжити запис
wish-digits = Набрати цифри
wish-save_draft = Зберегти чернетку
wish-drop_draft = Видалити чернетку
sound-off = Звук вимкнено
sound-asking = Запитуємо мікрофон
sound-asking-how = Дозвольте мікрофон у запиті браузера вгорі сторінки.
sound-connecting = Під’єднання
sound-up = Мікрофон
sound-mending = Відновлюємо звук
sound-denied = Мікрофон заборонено
sound-denied-how = Браузер не дає мікрофон. Дозвольте його значком біля адреси й спробуйте знову.
sound-no-microphone = Немає мікрофона
sound-no-microphone-how = Мікрофона немає. Під’єднайте гарнітуру; сторінка має бути відкрита через https або на цьому комп’ютері.
sound-muted = Вас не чути
sound-telephone = Телефонний апарат
devices = Звук і пристрої
by-telephone = Я говорю телефоном поруч із комп’ютером
device-microphone = Мікрофон
device-headset = Навушники
device-ring = Дзвонити на
device-usual = Як у системі
ring-volume = Гучність дзвінка
test-microphone = Перевірити мікрофон
test-headset = Перевірити навушники
test-ring = Перевірити дзвінок
test-end = Закінчити перевірку
test-speak = Скажіть що-небудь.
test-heard = Вас чути.

## Робоче місце: дзвінок
title-call = Дзвінок!
offer-call = Дзвонить мешканець
offer-colleague = { $name } просить вас
offer-own-phone = Дзвонимо на ваш телефон
offer-answers-itself = Дзвінок прийметься сам після сигналу.
offer-rings-for = Дзвонить ще { $time }
accept = Відповісти
accept-telephone = Відповісти на апараті
decline = Відхилити
topic-unknown = Тему не обрано
waited = Очікування
city-number = Набрано номер
caller = Від кого
why-you = Чому мені?
why-asked-for = Вас попросили на ім’я.
why-only-one = Вільні були лише ви.
why-only-one-with = З вільних лише ви володієте: { $skills }.
why-longest = З вільних ({ $n }) ви чекали найдовше.
why-longest-with = З вільних ({ $n }), хто володіє: { $skills }, — ви чекали найдовше.
verdict-chosen = вільний { $time }, обраний
verdict-eligible = вільний { $time }
verdict-lacks = вільний, але не володіє: { $skills }
talk = Розмова
talk-on-hold = На утриманні
talk-asked-by = Вас запитує { $name }
meter-them = мешканець
meter-me = чути мене
hold-music = Мешканець чує музику
muted-now = Мешканець вас не чує
recording-paused = Без запису, ще { $time }
help-asked = Супервізора покликано
call-controls = Дії з дзвінком
hold = Утримати
resume = Повернутися
mute = Вимкнути мікрофон
unmute = Увімкнути мікрофон
transfer = Перевести дзвінок…
consult = Запитати…
digits = Цифри…
digits-sent = Надіслані цифри
recording-pause = Пауза запису
recording-resume = Знову писати
ask-help = Супервізора!
help-done = Допомога не потрібна
abuse = Грубість…
end-call = Завершити дзвінок
leave-talk = Вийти з розмови
third-asking = Додзвонюємося; мешканець чує музику.
third-consulting = Ви говорите з ним наодинці; мешканець чує музику.
third-conference = Усі троє чують одне одного.
hand-over = Передати мешканця
conference = Говорити втрьох
back-to-resident = Повернутися до мешканця
transfer-title = Перевести дзвінок
consult-title = Запитати колегу
whom = Колега, черга або номер
whom-hint = Введіть ім’я або номер, наприклад +7 701 000 00 00.
whom-nobody = Оберіть зі списку або введіть номер.
whom-no-number = Введіть номер: від 2 до 20 цифр, за потреби з +.
transfer-do = Перевести зараз
consult-first = Спершу запитати
consult-do = Запитати
call-out = Подзвонити за номером…
number-to-call = Номер для дзвінка
call = Подзвонити
abuse-how = Спершу попередьте абонента. І лише потім завершуйте дзвінок.
abuse-warned = Абонент чув попередження.
abuse-warn = Увімкнути попередження
abuse-days = Позначити номер на
abuse-days-hint = До цього строку оператори бачать позначку. Вам дадуть короткий перепочинок.
abuse-end = Завершити дзвінок
days = { $n ->
     [one] { $n } день
     [few] { $n } дні
     [many] { $n } днів
    *[other] { $n } дня
  }
wrap-up-disposed = Підсумок дзвінка записано.
wrap-up-say-outcome = Позначте підсумок дзвінка, і ви знову готові.
extend-wrap-up = Ще час

## Робоче місце: звернення
case = Звернення
case-without-call = Звернення без дзвінка
kept-here = Зберігається під час введення
outcome = Підсумок дзвінка
outcome-case = Звернення
outcome-consultation = Консультація
outcome-case_asked = Питання про звернення
outcome-handed_on = Передано далі
outcome-wrong_number = Помилилися номером
outcome-silent = Тиша
outcome-other = Інше
topic-type = Почніть вводити, про що йдеться
topic-none = Немає такої теми. Спробуйте інше слово.
topic-missing = Оберіть тему.
street = Вулиця
formerly = раніше { $names }
house = Будинок
flat = Помешкання
district-is = Район міста: { $name }
what-happened = Що сталося
text-missing = Напишіть, що сталося.
priority = Терміновість
nothing-lost = Нічого не втрачено: усе лишилося тут.
contact-counted = Записано у підсумок.
register-case = Зареєструвати
save-outcome = Зберегти підсумок
case-registered-at = Зареєстровано о { $time }. Продиктуйте номер:
copy-number = Скопіювати номер
copied = Скопійовано.
another-case = Ще одне звернення

## Робоче місце: хто дзвонить
context = Хто дзвонить
looking-up = Шукаємо…
nameless = без імені
line-says = Ім’я з лінії: { $name }
residents-at-number = { $n ->
     [one] На цьому номері { $n } мешканець
     [few] На цьому номері { $n } мешканці
     [many] На цьому номері { $n } мешканців
    *[other] На цьому номері { $n } мешканця
  }
protected-veteran = Ветеран війни
abuse-until = Позначка про грубість до { $day }
callbacks-owed = { $n ->
     [one] Обіцяно { $n } зворотний дзвінок
     [few] Обіцяно { $n } зворотні дзвінки
     [many] Обіцяно { $n } зворотних дзвінків
    *[other] Обіцяно { $n } зворотного дзвінка
  }
overdue-by = Прострочено на { $time }
near-address = Поруч із цією адресою
until = до { $time } (план)
open-cases = Відкриті звернення: { $n }
no-open-cases = Немає.
due = строк { $time }
notes = Нотатки
earlier-calls = Попередні дзвінки
first-call = Дзвонить уперше.
is-up = на лінії
ending-caller_hung_up = мешканець поклав слухавку
ending-left_in_menu = пішов у меню
ending-abandoned = не дочекався
ending-operator_hung_up = оператор поклав слухавку

## Робоче місце: статті й завдання
articles = Довідка
articles-search = Шукати в довідці
articles-none = Статті про це немає.
article-answered = { $n ->
     [one] Допомогла { $n } раз
     [few] Допомогла { $n } рази
     [many] Допомогла { $n } разів
    *[other] Допомогла { $n } раза
  }
this-answered-it = Це й була відповідь
callbacks = Передзвонити: { $n }
tasks = Завдання: { $n }
drafts = Не дописано, чернетки: { $n }
today-calls = { $n ->
     [one] Сьогодні: { $n } дзвінок
     [few] Сьогодні: { $n } дзвінки
     [many] Сьогодні: { $n } дзвінків
    *[other] Сьогодні: { $n } дзвінка
  }
today-average = у середньому { $time }
break-due = перерва о { $time }
break-due-since = перерва належить із { $time }
list-callbacks = Кому передзвонити
list-tasks = Завдання
list-drafts = Недописані звернення
callbacks-none = Передзвонювати нікому.
tasks-none = Для вас нічого немає.
drafts-none = Недописаного немає.
waits-since = чекає { $time }
task-undisposed = Дзвінок { $call }: чим закінчився?
say-outcome = Вказати
task-control = Дізнатися, чи зроблено:
done-for = зроблено { $time } тому
go-on-writing = Дописати
throw-away = Видалити

## Робоче місце: клавіші
keys-title = Клавіші
keys-how = Клавіші прив’язані до місця й працюють у будь-якій розкладці. Коли пишете, тримайте Alt: Alt + A відповідає з будь-якого поля.
keys-letters = Поза полями літери діють без Alt
key-accept = Відповісти на дзвінок
key-decline = Відхилити дзвінок
key-hold = Утримати й повернутися
key-mute = Мікрофон вимкнути й увімкнути
key-transfer = Перевести дзвінок
key-consult = Запитати колегу
key-digits = Набрати цифри
key-recording = Запис призупинити й продовжити
key-help = Покликати супервізора
key-warn = Абонент грубить
key-end = Завершити дзвінок
key-case = Перейти до звернення
key-context = Перейти до відомостей про абонента
key-extend = Ще час на оформлення
key-done = Оформлення закінчено, готовий
key-ready = Готовий приймати дзвінки
key-pause = Змінити стан, взяти перерву
key-call-out = Подзвонити за номером
key-tasks = Показати завдання
key-keys = Показати клавіші
key-save = Зареєструвати, зберегти підсумок
key-reasons = Причина перерви, у меню стану

## У чому сервер відмовляє
refused-no-phone = Ваш телефон не зареєстровано. Увімкніть його й знову натисніть «Готовий».
refused-no-sound = Звук цієї сторінки не під’єднано. Дозвольте мікрофон і знову натисніть «Готовий».
refused-busy = У вас дзвінок. Спершу закінчіть його.
refused-offer-over = Дзвінок пішов до колеги. Робити нічого не треба.
refused-unknown-operator = Вашого облікового запису немає серед операторів. Попросіть адміністратора додати вас.
refused-pick-up = На цей дзвінок відповідають на апараті. Зніміть слухавку.
refused-not-your-talk = Ви вже не в цій розмові.
refused-not-free = Той, кого ви просили, зайнятий. Запитайте іншого або передайте дзвінок у чергу.
refused-unknown-target = Нікого з таким ім’ям немає. Оберіть зі списку або введіть номер.
refused-not-now = Зараз цього зробити не можна.
refused-no-number = Це не номер телефону. Введіть від 2 до 20 цифр.
refused-overloaded = Сервер перевантажено. Спробуйте ще раз.
refused-no-story = Відомості про абонента не прочитати: база не відповідає. Запитайте його самого.

## Вхід
sign-in-code = Код входу
sign-in-code-hint = Шість цифр, які зараз показує ваш телефон.
refusal-wrong_code = Код неправильний або вже використаний. Дочекайтеся наступного.
demo-title = Демонстраційне місто. Подивитися як:
