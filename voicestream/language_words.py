"""What tells languages apart that are written in Latin letters."""

from __future__ import annotations

WORDS = {
    "en": "the and of to is are was were be been has have had not that this these those it its he "
    "she they we you i me my your his her our their them him us in on at for with from by "
    "as but or if so do does did don't can could will would should what which who when "
    "where why how there here some any no nobody nothing never ever all every more most "
    "than then now later before after about into over out up down let like know want going "
    "call please thank thanks hello hi hey bye good morning evening night yes sure "
    "sorry see welcome well just very a an am i'm it's let's he's isn't won't one two three "
    "ten left right first second said means word new last next ready time people many "
    "anything something everything man woman children day days year years week month house "
    "make makes made takes took get got give gave find found used need needs think thought "
    "tell told ask asked own same different early few off again once always often almost "
    "enough across through during without within between against because while although "
    "yesterday today tomorrow tonight near since until such both each others another met naïve",
    "de": "der die das den dem des und ist sind war waren nicht ein eine einen einem einer eines "
    "ich du er sie wir ihr mich dich uns euch sich mein meine dein deine sein seine ihre "
    "ihren auf für mit von zu zum zur bei nach vor aus über unter durch im am ans vom als "
    "wie auch noch nur schon wenn weil dass daß aber oder doch denn man kein keine hat "
    "haben hatte habe wird werden wurde kann kannst können muss müssen soll bitte danke "
    "hallo guten tag morgen abend nacht wiedersehen tschüss ja nein vielen gern gerne "
    "geschehen geht geht's gut moin servus grüß was wer wo wann warum heute gestern jetzt "
    "hier da dort sehr mehr viel viele wieder bis lass mir dir ihm ihn nie niemand nichts "
    "etwas jedes jeder alle manche ob so es zwei drei zehn jahr endlich zusammen "
    "entschuldigung lädt deinem steht gibt links rechts sagte sagt wollte her hin immer mal "
    "gibt's beim ins mehrere mehrerer verschiedene kleine kleinen kleiner großen große "
    "großer neue neuen neuer erste ersten zweite letzten nächste ganz ganze gerade heißt "
    "macht machen gehen kommt kommen sieht sehen sagen weiß wissen denken glaube glauben "
    "findet finden nehmen nimmt geben bleibt bleiben lassen läuft zeigt zeigen leben arbeit "
    "arbeiten zeit leute menschen kinder kind frau herr haus stadt straße wasser welt woche "
    "monat jahre jahren stunde stunden minuten morgens abends leider vielleicht natürlich "
    "wirklich eigentlich deshalb außerdem während trotzdem obwohl damit darauf dabei dafür "
    "davon dazu zwischen gegen ohne seit etwa fast oft später früher bald wenig wenige "
    "einige andere anderen hören hört brauchen braucht an spiel ab um einfach genau fertig klar",
    "es": "el la los las un una unos unas y de del que en es son era está están no ni se su sus "
    "mi mis tu tus te me nos lo le les con por para como más pero sin sobre entre hasta "
    "desde cuando donde qué quién cómo cuándo dónde cuántas cuántos cuánto porque si sí muy "
    "ya hay fue ha han he ser estar tener tiene tenemos hacer hace este esta esto ese esa "
    "eso estos nada nadie nunca algo todo todos toda todas también aquí allí hoy ayer "
    "mañana anoche ahora luego después antes hola gracias muchas buenos buenas días tardes "
    "noches adiós favor perdón vale claro bien usted ustedes ella ellos nosotros yo cada "
    "otro otra gusta quiero quisiera al puede dos tres diez vez año años dijo saludos "
    "bienvenido bienvenidos tal va día dice a trabajo trabaja casa hermano hermana vive "
    "gente tiempo hombre mujer agua varios varias algunos algunas mucho mucha muchos poco "
    "poca pequeño pequeña grande grandes nuevo nueva nuevos primero primera segundo último "
    "última próxima ir van vamos viene vienen ver veo decir digo saber sabe sé poder pueden "
    "podemos creo piensa encontrar encontró dar da llegar llega llegan quedar vivir viven "
    "trabajar mundo ciudad calle escuela dinero comida niño niños niña niñas padre madre "
    "amigo amigos semana mes meses hora horas minutos tarde temprano siempre casi quizás "
    "realmente entonces además aunque mientras contra según durante hacia fueron eran había "
    "hubo sido cerca lejos dentro fuera resultaron corrige cualquier recién junto listo",
    "fr": "le la les l' d' j' n' c' s' t' m' qu' un une des du de et est sont était ne pas plus "
    "que qui quoi où quand comment combien pourquoi dans sur sous avec sans pour par en au "
    "aux ce cet cette ces se sa son ses mon ma mes ton ta tes notre votre vos nos leur je "
    "tu il elle on nous vous ils elles me te lui y a ont avons avez ai as été être avoir "
    "fait faire va mais ou donc si très bien tout tous toute toutes rien jamais personne "
    "aussi encore déjà ici là aujourd'hui hier demain soir matin bonjour bonsoir bonne "
    "salut merci beaucoup revoir oui non s'il plaît d'accord ça c'est voici voilà chez "
    "entre après avant depuis pendant comme quelle quel quelques chaque certains autre même "
    "deux trois dix aujourd cela bienvenue pardon nuit peu trop peut dit disait moi toi eux "
    "vers car quant ainsi alors parce accord femme homme gens temps plusieurs petit petite "
    "petits grand grande grands nouveau nouvelle nouveaux premier première dernier dernière "
    "prochain prochaine aller vais vas allons vont venir vient viens voir vois voit dire "
    "savoir sait sais pouvoir peux peuvent pense crois trouver trouve donner donne prendre "
    "prend mettre vouloir veux veut arriver arrive rester vivre travail travailler monde "
    "ville rue école argent eau maison enfant enfants père mère ami amis semaine mois année "
    "heure heures minutes jour jours tard tôt toujours souvent presque peut-être vraiment "
    "ensuite contre selon près loin dedans dehors étaient avait avaient sera seront besoin "
    "bus",
    "it": "il lo la gli le i un uno una di del dello della dei degli delle dell' l' d' c' un' all' "
    "nell' dall' sull' e è sono era ed che chi cosa come dove quando perché quanto quante "
    "quanti non più ma o se si ci vi mi ti ne a al allo alla ai agli alle da dal dalla in nel "
    "nella nei nelle con su sul sulla per tra fra prima dopo sotto sopra ho hai ha abbiamo "
    "avete hanno stato stata essere avere fare questo questa questi queste quello quella suo "
    "sua suoi mio mia tuo tua nostro io tu lui lei noi voi loro anche ancora già molto tutto "
    "tutti niente nessuno mai sempre oggi ieri domani adesso qui ciao buongiorno buonasera "
    "buona notte grazie mille arrivederci prego sì va bene scusa scusi stai sta salve due tre "
    "dieci anno anni ogni alcuni vorrei piace detto sia bella bello davanti verso visto dice "
    "poi così perciò però casa gente tempo uomo donna acqua lavora lavoro diversi diverse "
    "parecchi piccolo piccola piccoli grande grandi nuovo nuova nuovi nuove primo secondo "
    "ultimo ultima prossimo andare vado vai andiamo vanno venire viene vengono vedere vedo vede "
    "dire sapere sa so potere può possono possiamo penso credo trovare trova dare dà prendere "
    "prende mettere volere voglio vuole arrivare arriva restare vivere lavorare mondo città "
    "strada scuola soldi cibo bambino bambini bambina padre madre amico amici settimana mese "
    "mesi ora ore minuti giorno giorni tardi presto spesso quasi forse davvero allora inoltre "
    "mentre contro vicino lontano dentro fuori erano aveva avevano sarà saranno bisogno feriti "
    "corregge errori fatto certo",
    "pt": "o os a as um uma uns umas e é são era foi está estão não de do da dos das em no na nos "
    "nas ao aos à às por pelo pela para com sem sobre até desde que quem qual como quando "
    "onde porque se mas ou mais muito já também só eu tu ele ela nós eles elas você vocês "
    "me te lhe isso isto este esta esse essa seu sua seus suas meu minha teu tem tenho "
    "temos ter ser há foram nada ninguém nunca tudo todos hoje ontem amanhã agora depois "
    "antes olá obrigado obrigada bom boa dia tarde noite logo bem sim adeus favor desculpe "
    "gosto dois três dez cada pode fica disse água tempo gente homem mulher casa trabalho "
    "trabalha vários várias alguns algumas pouco grande novo nova primeiro último vai vão "
    "vamos vem ver sei poder podem acho chega chegam mundo cidade rua escola dinheiro "
    "criança crianças pai mãe amigo semana mês ano anos hora horas minutos sempre quase "
    "talvez então embora enquanto contra segundo durante ainda estava eram havia sido perto",
    "nl": "de het een en is zijn was waren niet van dat die dit deze op voor met naar aan bij uit "
    "over om tot als maar of want ook nog al wel geen ik je jij jou u hij zij ze we wij ons mij "
    "hem haar hun mijn jouw uw er hier daar wat wie waar wanneer waarom hoe heeft hebben heb "
    "had wordt worden werd kan kun kunnen moet wil graag even nooit niemand niets iets alle "
    "meer veel te in half uur vandaag gisteren gisteravond morgen nu na dank goedemorgen "
    "goedenavond goedendag hallo hoi ziens alsjeblieft alstublieft bedankt ja nee dag zo twee "
    "drie tien zoiets klaar tijd weer meerdere verschillende kleine grote nieuwe eerste tweede "
    "laatste volgende gaat gaan komt komen ziet zien zegt zeggen weet weten denk vindt vinden "
    "neemt geven blijft laten loopt leven werk werken mensen kinderen kind vrouw man huis stad "
    "straat water wereld week maand jaar jaren uren minuten altijd vaak bijna misschien echt "
    "dus daarom tijdens hoewel tussen tegen zonder sinds later eerder weinig enkele andere "
    "nodig",
    "sv": "och att det är en ett den som på i av för med till inte om har hade var jag du han hon "
    "vi ni de dem mig dig sig min din sin vår från vid efter före under över men eller så kan ska "
    "skulle vill vad vem när var hur här där ingen inget något någon aldrig alla mer mycket nu "
    "idag igår morgon hej god tack så snälla ja nej adjö tid längre tio två tre klar finns vet "
    "går klockan",
    "da": "og at det er en et den som på i af for med til ikke om har havde var jeg du han hun vi "
    "i de dem mig dig sig min din sin vores fra ved efter før under over men eller så kan skal "
    "skulle vil hvad hvem hvornår hvor hvordan her der ingen intet noget nogen aldrig alle mere "
    "meget nu dag går hej god tak ja nej farvel tid gerne ti to tre klar ved klokken",
    "pl": "i w z na do nie się to że jest są był była było co jak kto gdzie kiedy dlaczego ale "
    "albo czy o po od za przez przy pod nad dla bez ja ty on ona ono my wy oni mnie ci mu jej "
    "ich mój twój jego tego tym ten ta te już jeszcze tylko bardzo nikt nic nigdy coś wszystko "
    "dzisiaj dziś wczoraj jutro teraz proszę poproszę dziękuję dziękuje dzień dobry cześć dobranoc "
    "tak mamy ma mam dwa trzy dziesięć ze będzie może",
    "cs": "a v z na do ne se to že je jsou byl byla bylo co jak kdo kde kdy proč ale nebo o po od "
    "za přes při pod nad pro bez já ty on ona my vy oni mě ti mu její jejich můj tvůj jeho toho "
    "ten ta už ještě jen velmi nikdo nic nikdy něco všechno dnes včera zítra teď prosím děkuji "
    "dobrý den ahoj ano máme má mám dva dvě tři deset bude chtěl bych ve",
    "tr": "ve bir bu şu o da de ki mi mı mu mü için ile ne çok daha en gibi kadar var yok değil "
    "ben sen biz siz onlar benim senin onun bizim kim nerede nasıl neden zaman ama veya hiç "
    "her bütün şey bugün dün yarın şimdi lütfen teşekkürler teşekkür ederim merhaba "
    "günaydın iyi akşamlar geceler evet hayır kimse iki üç tane olacak içinde istiyorum su "
    "yüz gün ev adam kadın",
    "vi": "và là của có không một những các cho với được trong này đã đang sẽ tôi bạn anh chị em "
    "chúng ta họ nó ai gì nào đâu sao thế khi nếu nhưng hoặc rất cũng như từ đến ở về ra vào lên "
    "xin chào cảm ơn vâng dạ hôm nay ngày mai người thì mà để hai ba mười",
    "fi": "ja on ei ole se että en et emme minä sinä hän me te he minun sinun hänen meillä mitä "
    "kuka missä milloin miksi miten mutta tai kun jos niin myös vain vielä enää hyvin paljon "
    "kukaan mitään koskaan kaikki tänään eilen huomenna nyt hei moi kiitos ole hyvä hyvää huomenta "
    "päivää iltaa yötä kyllä anteeksi kaksi kolme kymmenen sitten olen oli ovat",
    "hu": "a az és hogy nem egy van volt is de ha meg csak mint már még most ez ezt azt ő mi ti "
    "én te vagy lesz köszönöm jó napot reggelt estét szia igen kérem nagyon minden senki semmi mit "
    "hol mikor miért két három tíz",
    "ro": "și în la cu nu este sunt un o pe de din pentru care că mai dar sau ce cum unde când "
    "eu tu el ea noi voi ei al ai ale a fost am are foarte bună ziua dimineața mulțumesc da "
    "nimeni nimic astăzi ieri mâine doi trei zece vă",
    "id": "yang dan di ke dari ini itu tidak ada dengan untuk pada adalah saya kamu anda dia kami "
    "kita mereka akan sudah belum juga atau tetapi karena apa siapa kapan mengapa bagaimana sangat "
    "semua selamat pagi siang malam terima kasih ya bisa tiga dua sepuluh",
}  # fmt: skip
"""Language -> its commonest words, and those that greet and thank."""

_OF_LETTERS = {
    "de": "ß", "de sv fi tr hu": "ö", "de sv fi": "ä", "de tr hu": "ü", "es": "ñ",
    "pt vi": "ãõ", "fr": "œëîïû", "fr pt tr": "ç", "fr it vi": "èù", "it vi": "òì",
    "fr it pt vi": "à", "fr pt vi": "êâô", "es pt hu cs vi": "íóúá", "fr es pt it hu cs vi": "é",
    "sv da fi": "å", "da": "øæ", "pl": "ąęłńśźż", "cs": "ěřůťďň", "cs vi": "ý",
    "tr": "ğış", "hu": "őű", "ro": "țș", "ro vi": "ă",
    "vi": "đơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịĩọỏốồổỗộớờởỡợụủũứừửữựỳỵỷỹ", "cs fi": "šž", "cs ro": "č",
}  # fmt: skip
LETTERS = {char: tuple(names.split()) for names, chars in _OF_LETTERS.items() for char in chars}
"""Letter -> the languages that have it."""

_OF_ENDINGS = {
    "en": "ing ght ould tely ally ness ful less tly ly ed ies wn ck th sh ew ould",
    "de": "ung ungen keit heit lich ische ischen schaft chen cht tzt eln ern iert tz pf ig",
    "fr": "eux euse aux ment uit dit tions eur eurs ette oir ais ait ées és ée ienne "
    "ux ez eau eaux",
    "es": "ción ciones dad miento ando iendo emos amos illo eza ño ía ías ón",
    "it": "zione zioni tà ezza aggio iamo ono etto ella elli cchi gli zza ggi tto tti ette iere",
    "pt": "ção ções dade ões inho agem eiro eira ndo am em ou",
    "nl": "ijk lijk heid ingen tje tjes oor ij cht aan een sch oon uur",
    "sv": "ning ningar het orna arna ade",
    "da": "ning ninger hed erne ede ligt",
    "pl": "ość owy owa cie szy czy rzy cji ych ego wać ków",
    "cs": "ost ých ého ání ení ství ové",
    "tr": "sinde ler lar yor dır dir mek mak iyor ında inde nın",
    "fi": "lta ltä ssa ssä lla llä sta stä lle een iin nen ään oon ksi tta ttä aan",
    "hu": "ság ség nak nek ban ben ból",
    "ro": "ului ilor ește ește",
    "id": "kan nya",
    "en fr": "tion able", "es it pt": "mente ar er ir ado ido ato ito", "de nl": "en",
    "de en": "er", "es pt": "os as", "it es": "o a", "da sv": "en et ade ar",
}  # fmt: skip
ENDINGS: dict[str, tuple[str, ...]] = {}
"""End of a word -> the languages whose words end so."""
for _names, _endings in _OF_ENDINGS.items():
    for _ending in _endings.split():
        ENDINGS.setdefault(_ending, tuple(_names.split()))
