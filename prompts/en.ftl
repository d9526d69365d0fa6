# English texts. Numbers are written as words: the voice reads them as they stand.

welcome-109 = Welcome. You have reached the city contact centre, one oh nine.
welcome-1520 = Welcome. You have reached the city contact centre, fifteen twenty.
welcome-quality = Welcome. This is the quality line, for comments on how your call was handled.
quality-how = If you have a complaint about an operator, please tell us the day and time of your call. We will listen to its recording and answer you.
quality-closed = The quality line is open on working days from nine in the morning to six in the evening. For city matters, one oh nine answers day and night. Goodbye.
recorded-notice = All conversations are recorded for quality control.
choose-language = For English, press three.
topics-109 = For heating, press one. For water and sewers, press two. For street lighting, press three. For roads and yards, press four. For public transport, press five. For anything else, press six. To wait for an operator, press nothing. If a life is in danger, press zero.
topics-1520 = For heating, press one. For water and sewers, press two. For street lighting and yards, press three. For roads, press four. For public transport, press five. For damage from strikes, sirens and shelters, press six. For anything else, press seven. To wait for an operator, press nothing. If a life is in danger, press zero.
topics-rush = Many people are calling now. For heating, press one. For water, press two. For anything else, stay on the line. If a life is in danger, press zero.
wrong-key = There is no such choice.
emergency = Connecting you to the emergency service, one one two. Please stay on the line.
emergency-failed = We could not connect you to one one two. If you can, please dial one one two yourself. An operator will answer you now.
please-wait = Please stay on the line, the next free operator will answer you. To change the language, press star.
line-restoring = We have lost the connection to your operator. Please stay on the line, it will be back in a moment.
line-lost = We could not restore the connection to your operator. Please stay on the line, the next free operator will answer you.
place-put-behind = Others, whose matter is more pressing, have been put before you. Thank you for your patience.
queue-closed = This line takes no calls just now. Please call later.
evacuation = Our centre is being evacuated, and nobody can answer at this moment. If you were waiting or talking with an operator, we will call you back. In an emergency call one one two.
office-closed = The specialists for this matter work on weekdays from nine in the morning to six in the evening. The operator on duty will take your report now.
closed = The contact centre is closed now. Please call again during working hours. If a life is in danger, dial one one two. Goodbye.
busy = Many people are calling about this matter. Any free operator will help you.
queue-full = We are sorry, all lines are busy. Please call again a little later. If a life is in danger, dial one one two.
notice-press-one = To be called when it is fixed, press one now. To wait for an operator, press nothing.
notice-subscribed = Thank you. You will be called as soon as it is fixed.
abuse-warning = Please speak respectfully. If the insults go on, the operator will have to end this call.
abuse-ended = This call is ended because of abusive language. If a life is in danger, dial one one two. Goodbye.
callback-offer = To be called back without losing your place, press one.
callback-ask = We can call you back and keep your place. To be called at the number that you are calling from, press one. To give another number, press two. To go on waiting, press star.
callback-ask-number = We can call you back and keep your place. To give the number that we should call, press two. To go on waiting, press star.
callback-key-number = Please key the number, then the hash key. To go on waiting, press star.
callback-wrong-number = This number cannot be called.
callback-you-keyed = You have keyed
callback-confirm = If that is right, press one. To key it again, press two. To go on waiting, press star.
callback-promised = Your place is kept. We will call you when it is your turn. Goodbye.
callback-stands-already = You are going to be called at this number already, in your turn. You may hang up, or stay on the line.
callback-full = We cannot take any more callbacks now. Please stay on the line.
digit-0 = Zero.
digit-1 = One.
digit-2 = Two.
digit-3 = Three.
digit-4 = Four.
digit-5 = Five.
digit-6 = Six.
digit-7 = Seven.
digit-8 = Eight.
digit-9 = Nine.

# The place in the queue and the expected wait are put together from these and from one piece a number.
position = Your number in the queue is
position-number = { $words }.
position-many = Your number in the queue is above one hundred and twenty.
minutes = The expected wait is about
minutes-number =
    { $n ->
        [one] { $words } minute.
       *[other] { $words } minutes.
    }
minutes-none = The expected wait is less than a minute.
minutes-many = The expected wait is more than two hours.
