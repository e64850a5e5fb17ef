"""The passwords of eight characters and more that published lists of leaked ones have in front, in lower case. Those of
digits only are missing: no password may be of digits only.
"""

from __future__ import annotations

_WORDS = """
password password1 password2 password3 password9 password11 password12 password123 password1234 password12345
password01 password! password1! password@1 password@123 passw0rd passw0rd1 p@ssword p@ssw0rd p@ssw0rd1 p@$$w0rd
pa$$word pa$$w0rd passpass passport passw0rd! mypassword thepassword nopassword yourpassword passwords password0
qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 qwertyui qwertyuiop qwertyuiop1 qwertyqwerty qwerty01
qwer1234 qwer4321 qwert123 qwert12345 1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y q1w2e3r4 q1w2e3r4t5 1qaz2wsx 1qaz2wsx3edc
1qazxsw2 2wsx3edc qazwsxedc qazwsx123 qazwsx12 zaq12wsx zaq1zaq1 !qaz2wsx 1qaz@wsx zxcvbnm1 zxcvbnm123 zxcvbnm,
zxcvbnm,./ asdfghjk asdfghjkl asdfghjkl1 asdf1234 asdfasdf asdfjkl; asdfgh123 asdf12345 asd123456 asdqwe123
qweasdzxc qweasd123 qweqweqwe qwe123456 qwe12345 zxc12345 abcd1234 abcd12345 abcdefgh abcdefg1 abcdefghi abcdefghij
abc12345 abc123456 abc123abc abcabc123 abcdef123 a1b2c3d4 a1b2c3d4e5 a1234567 a12345678 a123456789 aa123456
aa12345678 aaa12345 aaaaaaaa aaaaaaaaa aaaaaaaaaa 123456789a 12345678a 1234567a 123456aa 123456abc 1234567q
12345678q 123456789q 1234qwer 12345qwert 123456qwerty 123qweasd 123qweasdzxc 12345abc 1234abcd 123abc123 123456ab
q123456789 q12345678 q1234567 z123456789 x12345678 s12345678 iloveyou iloveyou1 iloveyou2 iloveyou! iloveyou123
iloveme1 ilovegod iloveyou12 loveyou1 lovelove loveme123 love1234 mylove123 sunshine sunshine1 princess princess1
football football1 football12 baseball baseball1 basketball basketball1 softball softball1 superman superman1
batman123 spiderman spiderman1 starwars starwars1 pokemon1 pokemon123 naruto123 minecraft minecraft1 trustno1
whatever whatever1 welcome1 welcome12 welcome123 welcome2 welcome01 welcome! letmein1 letmein12 letmein123 letmein!
changeme changeme1 changeme123 changeit admin123 admin1234 admin12345 admin123456 adminadmin administrator
administrator1 admin@123 admin111 root1234 rootroot toor1234 test1234 test12345 testtest testing1 testing123
test123456 tester123 guest123 guest1234 user1234 user12345 default1 default123 temp1234 temppass secret123 secret12
topsecret computer computer1 internet internet1 samsung1 samsung123 google123 facebook facebook1 linkedin1 microsoft
windows10 michelle michelle1 michael1 michael123 jennifer jennifer1 jessica1 jessica12 jordan23 jordan123 charlie1
charlie123 ashley123 daniel123 william1 christian elizabeth elizabeth1 danielle alexander alexander1 alexandra
alexandre nicholas benjamin samantha samantha1 victoria victoria1 caroline katherine patricia veronica isabella
jonathan jonathan1 anthony1 matthew1 andrew123 brandon1 joshua123 thomas123 robert123 hunter123 monkey12 monkey123
dragon12 dragon123 master12 master123 shadow12 shadow123 killer123 tigger123 buster123 cookie123 summer12 summer123
winter12 winter123 spring123 autumn123 january1 february november december december1 september monday12 corvette
mercedes mustang1 mustang123 porsche911 ferrari1 cocacola pepsi123 marlboro snowball snowboard einstein jamesbond
butterfly butterfly1 chocolate chocolate1 strawberry blueberry pineapple sweetheart beautiful beautiful1 barcelona
barcelona1 liverpool liverpool1 manchester chelsea1 chelsea123 arsenal1 arsenal123 juventus realmadrid ronaldo7
portugal argentina scotland australia california newyork1 steelers steelers1 cowboys1 yankees1 lakers24 rangers1
scooter1 midnight midnight1 danger123 darkness access14 access123 maverick metallica nirvana1 slipknot slipknot1
greenday ironman1 gandalf1 lordoftherings startrek stargate terminator undertaker blink182 fuckyou1 fuckyou2
fuckyou123 fuckyou! asshole1 bullshit bigdaddy lollipop lollipop1 babygirl babygirl1 hello123 hello1234 hellohello
helloworld hello12345 goodluck goodmorning friends1 friendship forever1 forever21 family123 freedom1 freedom123
blessed1 blessing jesus123 jesuschrist godisgood godbless heaven123 angel123 angels123 flower123 purple123 orange123
yellow123 silver123 golden123 diamond1 crystal1 garfield garfield1 snoopy123 mickey123 tinkerbell dolphin1 dolphins
elephant penguin1 kittycat doggie12 rainbow1 rainbow123 sunflower moonlight starlight hurricane thunder1 phoenix1
warrior1 champion champion1 soccer12 soccer123 hockey123 fishing1 swimming dancer123 cheerleader creative security
security1 business management company1 scorpion scorpion1 predator predator1 infinity infinite universe galaxy123
matrix123 phantom1 assassin vampire1 zombie123 ninja123 samurai1 gangster gangsta1 playboy1 playstation nintendo
nintendo64 gameover counterstrike
"""

COMMON = frozenset(_WORDS.split())
