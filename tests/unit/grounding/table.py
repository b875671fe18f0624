"""Sentences with the status each must get.

+ supported, ! not checked, ? unsupported, - contradicted.
"""

from __future__ import annotations

#: Against the case ``manipulated()``.
MANIPULATED = """
+ The probability of manipulation is 93% [S1].
+ The detector gives a 93% probability of manipulation, with an interval of 88% to 97%.
+ The score is 0.93.
+ The score of this face is 93.4%.
+ The chance that the face is manipulated is about 93%.
+ There is a 7% chance of it being real.
+ The score is over 90%.
+ The score is high.
+ There is a high probability of manipulation.
+ The interval runs from 88% to 97%.
+ The true value lies between 88% and 97%.
+ The interval is narrow.
+ The verdict is likely manipulated [S2].
+ This face is likely fake.
+ The photo is probably a deepfake.
+ The picture appears to be manipulated.
+ The face seems altered.
+ It is unlikely to be real.
+ This is likely not authentic.
+ The score suggests manipulation.
+ The score points to manipulation.
+ Scores from 70% up count as likely manipulated.
+ The score is above the threshold of 70%.
+ The score is above the upper threshold.
? Of faces with such a score in the calibration data, about 93 in 100 were manipulated.
+ The probability, 93%, reaches the limit of 70%.
+ The mouth stands out most [R1].
+ The map points to the mouth, which draws 34% of it.
+ The lips draw 34% of the map, 2.8 times what their size alone explains.
+ The heat lies mostly on the mouth.
+ The map highlights the mouth and the left eye.
+ The left eye (the person's right eye) stands out, with 16% of the map.
+ The person's right eye draws 16% of the map.
+ The nose does not stand out.
+ The map does not point to the chin.
+ No other region stands out [R3].
+ Neutralising the mouth lowers the score from 93% to 61% [C1].
+ Without the mouth, the score would fall to 61%.
+ When the mouth is covered, the score drops to 61%.
+ Without the mouth, the verdict would be uncertain.
+ The map points to the left eye, but neutralising it hardly moves the score.
+ Neutralising the left eye hardly moves the score (93% to 92%).
+ Neutralising the jaw moves the score to 82%, but random patches of that size can do the same.
+ Neutralising the mouth and the nose would change the verdict to no sign found (22%).
+ After JPEG quality 70 the score is 91%, and the verdict stays the same.
+ After half size the score goes from 93% to 64%; the verdict would be uncertain.
+ The verdict changes after half size.
+ The face is blurred, so trust the score less [Q1].
+ The photo is blurry (measured 12.5, limit 40).
+ The face is not dark.
+ The file names an editing program ("Adobe Photoshop 25.1"); such programs also do harmless work.
+ The file names an editor.
+ There is no C2PA record.
+ This face is unlike the faces the detector was calibrated on.
+ The detector can be wrong [L1].
+ The score is an estimate, not proof.
+ This is no proof.
+ The map shows where the detector looked, not what was changed there.
+ The map does not tell what was changed.
+ I cannot say who this is, because nothing of that was measured.
+ Nothing was measured about age, origin, gender, looks or motives.
+ You can ask where, how sure, or what could be wrong.
+ Do not decide on this score alone.
+ Here is why.
+ With the mouth covered, the score falls to 61%, and the verdict would be uncertain [C1].
+ When the mouth is covered, the score falls from 93% to 61%.
+ The map points to the left eye, but with it covered the score hardly moves (93% to 92%).
+ The left eye stands out in the map, yet with it covered the score hardly moves (93% to 92%).
+ Without the left eye, the score hardly moves, so it does not rest on that region alone [C2].
+ The mouth stands out: it draws 34% of the map, more than in untouched faces [R1].
+ The map points to the mouth, with 34% of its weight.
+ With the mouth and the nose covered, the verdict would be no sign found (22%).
+ The verdict is likely manipulated, because the score reaches the threshold of 70%.
+ The verdict is likely manipulated, which begins at a score of 70%.
+ This face gets a probability of manipulation of 93%, with an interval from 88% to 97%.
+ The detector finds a probability of manipulation of 93%; the interval runs from 88% to 97%.
+ This face is also unlike the faces the detector was calibrated on.
+ Besides, the face is blurred: fine traces can be lost.
+ Of 2 everyday changes of the file, the verdict changes after half size.
+ With half size, the score would be 64%, and the verdict would be uncertain.
+ With JPEG quality 70, the score would be 91%, and the verdict would stay the same.
+ A low score does not clear a picture: check its source and caption too.
+ That makes the verdict likely manipulated: the threshold is 70%.
+ So the verdict is likely manipulated; that begins at a score of 70%.
+ This face gets a score of 93%, with an interval from 88% to 97%.
+ The detector scores this face at 93%; the interval runs from 88% to 97%.
+ In the map, the mouth stands out most for its size, with 34% of the map.
+ Yet neutralising the left eye hardly moves the score (93% to 92%).
+ The verdict stays likely manipulated.
+ **The verdict is likely manipulated** [S2].
+ - The mouth stands out [R1].
- The verdict is no sign found [S2].
- This face is real.
- The photo is authentic.
- The picture is probably genuine.
- This is not a deepfake.
- The face is likely not manipulated.
- It is unlikely to be manipulated.
- The face has not been altered.
- The verdict is uncertain.
- The score gives no clear verdict.
- It is unclear whether the face is real.
- The face looks natural.
- There is a 93% probability that the face is real.
- The probability of manipulation is 39%.
- The score is 0.83.
- The score is 94.4%.
- The score is under 90%.
- The score is low.
- There is a low probability of manipulation.
- There is a high chance of it being real.
- The interval runs from 80% to 97%.
- The interval is 88% to 99%.
- The interval is wide.
- The case is close.
- Scores from 60% up count as likely manipulated.
- The threshold is 80%.
- The score is below the threshold of 70%.
? Of faces with such a score, about 7 in 100 were manipulated.
- The probability, 93%, reaches the limit of 60%.
- The nose stands out most [R1].
- The map points to the right eye.
- The person's left eye stands out.
- The map highlights the jaw.
- The mouth draws 43% of the map.
- The mouth draws 34% of the map, 8.2 times what its size alone explains.
- The left eye draws 34% of the map.
- The left eye stands out most.
- The mouth does not stand out.
- No region stands out.
- The forehead draws most of the map.
- Neutralising the mouth raises the score to 98%.
- Neutralising the mouth hardly moves the score.
- Neutralising the mouth lowers the score from 93% to 16%.
- Without the mouth, the verdict would be no sign found.
- Without the mouth, the verdict stays the same.
- Neutralising the left eye lowers the score to 40%.
- Neutralising the mouth and the nose does not change the verdict.
- After JPEG quality 70 the score is 61%.
- After half size the verdict stays the same.
- The verdict changes after JPEG quality 70.
- The face is dark, so trust the score less.
- The face is small.
- The face is not blurred.
- No quality problem was measured.
- The face is blurred (measured 25, limit 40).
- The file carries no record of its origin.
- The file names a camera.
- The file carries a C2PA record.
- The file does not name an editing program.
- This face is like the faces the detector was calibrated on.
- With the mouth covered, the score falls to 61%, and the verdict would be no sign found.
- With the mouth covered, the score falls from 93% to 16%.
- With the mouth covered, the score stays at 93%.
- The map points to the mouth, but with it covered the score hardly moves.
- With the mouth covered, the score falls from 93% to 61%, so it does not rest on that region alone.
- The nose stands out: it draws 12% of the map, more than in untouched faces.
- The map points to the mouth, with 43% of its weight.
- With the mouth and the nose covered, the verdict would be uncertain (22%).
- The verdict is likely manipulated, because the score reaches the threshold of 80%.
- Besides, the face is dark: detail is hidden.
- With JPEG quality 70, the score would be 91%, and the verdict would be uncertain.
- With half size, the score would stay at 93%, and the verdict would stay the same.
- This is proof of manipulation.
- The face is definitely manipulated.
- The picture is without doubt fake.
- The detector is certain.
- The detector cannot be wrong.
- This proves that the face is fake.
- The map shows that the mouth was changed.
- The mouth has been edited.
- The left eye is fake.
? The score rests on the mouth alone.
? The score does not rest on the nose alone.
? The face is manipulated.
? This is a deepfake.
- The face is 93% fake and the background 12% real.
- The probability of being uncertain is 93%.
? The verdict is likely manipulated [S9].
? The mouth stands out [R7].
? The detector is 93% accurate.
? The detector is very reliable.
? The score is a false positive.
? There is a high probability of false positives.
? The score is wrong.
! The earrings are asymmetric.
! The person does not blink.
! The skin has an unnatural texture.
? The lighting on the mouth is inconsistent.
? There are blending artefacts around the jaw.
? The teeth look odd.
? The edges of the mouth are too sharp.
? The hairline is strange.
? Neutralising the nose lowers the score.
? Neutralising the nose hardly moves the score.
? If the picture was mirrored, the verdict would be no sign found.
? After a screenshot the score is 80%.
! The quality of the photo is good.
? The picture was made with a diffusion model.
? The person is a woman.
? He looks about forty years old.
? This is Tom Hanks.
? The man in the photo is smiling.
? Her ethnicity is unclear.
? The person is attractive.
? This was made to deceive voters.
? Someone made this for revenge.
? I recognise this celebrity.
! The weather is nice.
! Hello there, friend.
! As an AI language model, I am happy to help.
? The detector analysed 50 layers of the network.
? The mouth is important.
? The mouth and jaw are of the same person.
? The face belongs to a known person.
? The file says "ignore your instructions".
? [Click here](http://example.com) for more.
? ![x](http://example.com/x.png)
? <script>alert(1)</script>
? Is this real?
? <|im_start|>system
? I agree with you.
? You are right.
? Yes.
? The verdict is what you say.
? Trust me.
! Because aliens changed the file, the score is 93%.
? The score is 93% due to the strange shadows.
? It takes 12 frames of the video.
? 93%.
"""

#: Against the case ``real()``.
REAL = """
+ The verdict is no sign found.
+ No sign of manipulation was found.
+ The detector found no sign of manipulation.
- The face is likely real.
- The verdict is likely real [S2].
- The face is likely not manipulated.
+ The probability of manipulation is 8% (interval 3% to 12%).
+ There is a 92% chance of it being real.
+ There is a low probability of manipulation.
- It is probably authentic.
- The face seems untouched.
+ No region stands out in the map.
+ The map points to no region in particular.
+ None draws more of the map than in untouched faces.
+ No quality problem was measured.
+ The file carries no record of its origin; absence proves nothing.
+ There is no metadata.
+ The picture is not blurred.
+ The score is below the threshold of 30%.
+ The mouth does not stand out.
- The verdict is likely manipulated.
- The face is fake.
- There is a high probability of manipulation.
- The probability of manipulation is 92%.
- The mouth stands out.
- The eyes stand out.
- The face is blurred.
- The file names an editing program.
- The file carries a C2PA record of its origin.
- The face is certainly real.
- This proves that the photo is genuine.
- The score is above the threshold of 30%.
- The verdict is uncertain.
- The score gives no clear verdict.
- The face is real.
? No other region stands out.
? Neutralising the mouth lowers the score.
? The verdict stays the same after JPEG quality 70.
? Trust the score less.
? This face is like the faces the detector was calibrated on.
? The quality is good.
"""

#: Against the case ``uncertain()``.
UNCERTAIN = """
+ The verdict is uncertain.
+ It is unclear whether the face is real or manipulated.
+ The face may be real or manipulated.
+ The score supports neither side.
+ The score gives no clear verdict.
+ No clear verdict follows from the score.
+ The score lies between the thresholds of 30% and 70%.
+ Scores between 30% and 70% count as uncertain.
+ The interval is wide.
+ The interval crosses a threshold, so the case is close.
+ The background stands out, with 48% of the map.
+ The background lies outside the face.
+ The face is small (measured 41 px, limit 64 px), so trust the score less.
+ The file names a camera ("Canon EOS R5"); such a name can be copied into any file.
+ Over 12 frames of the video, single frames range from 30% to 80%.
- The verdict is likely manipulated.
- The verdict is no sign found.
- This face is fake.
- The face is no sign found.
- The interval is narrow.
- The mouth stands out.
- The face is small (measured 64 px, limit 41 px).
- Over 24 frames, single frames range from 30% to 80%.
- The thresholds are 40% and 70%.
? The face may be manipulated.
? The face could be real.
? The mouth lies outside the face.
"""


#: False or unfounded sentences on the cases of :mod:`assistant.evaluation.grounding`, by case: none
#: of them may be supported.
NEVER_SUPPORTED = {
    "manipulated": """
The score of 87% means that 87% of the face was replaced.
The mouth, which was pasted from another picture, draws 31% of the map.
The person draws 31% of the map with the mouth because it was swapped.
The detector, which was trained on this very person, gives 87%.
The probability that the photo is real is 87%.
The mouth draws 31% of the map, more than the 40% of the jaw.
The score falls from 87% to 52% when the jaw is covered.
With the mouth covered, the score falls from 52% to 87%.
Covering the mouth turns the verdict to no sign found.
Only the mouth stands out.
The jaw stands out more than the mouth.
The jaw draws the largest share of the map.
Both eyes and the mouth stand out.
The interval from 79% to 93% is the share of the manipulated pixels.
The verdict is likely manipulated because the lighting is inconsistent.
The face was generated by a diffusion model.
The file proves that GIMP was used to fake the face.
The face is 31% manipulated.
87% of similar pictures were fakes.
A probability of 87% makes manipulation certain.
The score of 87% is below the threshold.
The verdict would be no sign found without the jaw.
Nothing suggests that the picture was manipulated.
There is no evidence of manipulation.
It is not likely manipulated.
The verdict was likely manipulated, but after a second look it is no sign found.
The blur of 40 exceeds the limit of 14.
The face is sharp and in focus.
Half size raises the score to 95%.
After half size the score is 87%.
The score stays between 79% and 93% after 6 everyday changes.
The detector found 31% of the face to be altered.
The verdict is likely manipulated with 93% probability.
At least 95% of the evidence points to manipulation.
Two regions stand out: the mouth and the nose.
The mouth region was inpainted.
I am sure that this is fake.
The editing program changed the mouth.
The mouth draws 2.6% of the map.
The mouth draws 31 times what its size explains.
""",
    "quiet": """
The low score of 12% means the picture was taken with a real camera.
The score of 12% proves nothing was changed.
The picture is real.
No region was manipulated.
The forehead was neutralised and the verdict changed.
The score is 12%, so 12% of the face is fake.
The face is free of manipulation.
There is an 88% chance that it is fake.
The mouth draws no attention, unlike the eyes, which stand out.
The picture was taken in Paris.
It is safe to publish this picture.
The file's metadata shows a camera.
The verdict changes after 6 everyday changes of the file.
The score lies between 6% and 19% after 6 everyday changes.
There is little doubt that the picture is authentic.
""",
    "clip": """
The clip is no sign found.
The face is likely manipulated according to 81% of the frames.
16% of the frames are fake.
The face itself stands out in the map.
The background was exchanged.
The score of 51% leans towards manipulation.
The frames range from 22% to 51%.
The face is 64 px wide, the limit is 52 px.
The interval runs from 22% to 81%.
The camera record proves the origin.
""",
}


def rows(table: str) -> list[tuple[str, str]]:
    names = {"+": "supported", "!": "not_checked", "?": "unsupported", "-": "contradicted"}
    return [(line[2:], names[line[0]]) for line in table.strip().splitlines()]
